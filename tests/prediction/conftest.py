"""Work dirs as training leaves them, of toy recipes with random weights."""

import pickle

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

from mmuniformer.engine.dump import dump_to
from mmuniformer.engine.launch import build_runner, replace_sync_bn
from mmuniformer.toyworld import World, write_world

from .. import ROOT

RECIPES = {
    'cls': 'cls/uniformer_toy',
    'det': 'det/mask_rcnn_uniformer_toy',
    'seg': 'seg/fpn_uniformer_toy',
    'pose': 'pose/topdown_uniformer_toy',
    'video': 'video/uniformer_toy',
}


@pytest.fixture(scope='session')
def cwd(toy_data, tmp_path_factory):
    """A working folder in which recipes find their data."""
    folder = tmp_path_factory.mktemp('cwd')
    (folder / 'data').mkdir()
    for data in toy_data.iterdir():
        (folder / 'data' / data.name).symlink_to(data)
    world = World(size=80, images_train=8, images_val=4)
    write_world(folder / 'data', world, layouts=['kinetics'])
    return folder


@pytest.fixture(scope='session')
def work_dir(cwd):
    """Makes, once, the work dir of a task."""

    def make(task):
        folder = cwd / 'work_dirs' / task
        if folder.exists():
            return folder
        folder.mkdir(parents=True)
        cfg = Config.fromfile(ROOT / f'configs/{RECIPES[task]}.py')
        for loader in (cfg.val_dataloader, cfg.test_dataloader):
            loader.update(num_workers=0, persistent_workers=False)
        if task == 'det':
            cfg.model.test_cfg.rcnn.score_thr = 0  # so that there are some
        cfg.dump(folder / 'config.py')
        init_default_scope(cfg.default_scope)
        cfg.model.backbone.init_cfg = None
        replace_sync_bn(cfg.model)
        torch.manual_seed(0)
        model = MODELS.build(cfg.model)
        model.init_weights()
        for name, value in model.state_dict().items():
            if 'running_var' in name:
                value.mul_(0.5)  # as if it had seen something
        torch.save(dict(state_dict=model.state_dict()), folder / 'last.pth')
        return folder

    return make


@pytest.fixture(scope='session')
def predictor(work_dir):
    """Makes, once, a predictor with default options."""
    from mmuniformer import Predictor

    made = {}

    def make(task, **options):
        key = task, *sorted(options.items())
        if key not in made:
            options.setdefault('workers', 0)
            made[key] = Predictor(str(work_dir(task)), **options)
        return made[key]

    return make


@pytest.fixture(scope='session')
def dumped(work_dir):
    """Tests as tools/test.py: metrics and raw predictions of a task."""
    made = {}

    def test(task):
        if task in made:
            return made[task]
        folder = work_dir(task)
        cfg = Config.fromfile(folder / 'config.py')
        cfg.work_dir = str(folder / 'test')
        cfg.load_from = str(folder / 'last.pth')
        cfg.launcher = 'none'
        cfg.experiment_name = f'predict_{task}'
        out = str(folder / 'test.pkl')
        dump_to(cfg, out)
        if task in ('det', 'pose'):
            cfg.test_evaluator[0].outfile_prefix = str(folder / 'coco')
        runner = build_runner(cfg, 'none')
        scores = runner.test()
        with open(out, 'rb') as file:
            made[task] = scores, pickle.load(file), cfg
        return made[task]

    return test


@pytest.fixture
def tested(dumped, cwd, monkeypatch):
    """The same, in the folder where paths of the data are right."""
    monkeypatch.chdir(cwd)
    return dumped
