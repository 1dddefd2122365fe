"""The experiments of docs/experiments.md: short, without tricks, and run."""

import re
from importlib.util import find_spec

import pytest
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from mmuniformer.engine.launch import replace_sync_bn
from mmuniformer.settings import apply_one, on_load  # noqa: F401
from mmuniformer.settings.values import walk
from mmuniformer.toyworld import World, write_world

from .. import ROOT, TINY
from .test_inheritance import TRICKS

PAGE = (ROOT / 'docs/experiments.md').read_text()
BLOCKS = dict(
    re.findall(r'\n([A-Z0-9][^\n]*):\n\n```python\n(.*?)```', PAGE, re.S)
)
SIZES = {'det': (96, 72), 'seg': 64, 'pose': (64, 96), 'video': 48}
HOSTS = dict(det='mmdet', seg='mmseg', pose='mmpose', video='mmaction')


def test_all_of_them():
    assert len(BLOCKS) == 10


@pytest.mark.parametrize('text', BLOCKS.values(), ids=BLOCKS)
def test_short_and_without_tricks(text):
    assert len(text.splitlines()) <= 10
    assert not TRICKS.search(text)


class SayHello(Hook):
    """The hook of somebody."""

    calls = 0

    def __init__(self, interval):
        self.interval = interval

    def before_train_iter(self, *args, **kwargs):
        SayHello.calls += 1


@pytest.fixture(scope='module')
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp('clips')
    world = World(size=64, images_train=4, images_val=2)
    write_world(folder, world, layouts=['kinetics'])
    return folder / 'kinetics400'


@pytest.fixture
def folder(toy_data, clips, tmp_path, monkeypatch):
    """Where somebody works: configs, data, and a hook."""
    (tmp_path / 'configs').symlink_to(ROOT / 'configs')
    data = tmp_path / 'data'
    data.mkdir()
    for path in toy_data.iterdir():
        (data / path.name).symlink_to(path)
    (data / 'kinetics400').symlink_to(clips)
    (data / 'my_coco').symlink_to(toy_data / 'coco')
    (tmp_path / 'my_hooks.py').touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    HOOKS.register_module('SayHello', force=True, module=SayHello)
    return tmp_path


def shrink(cfg, task):
    """The same experiment on a network of nothing, for a step or two."""
    dims = list(TINY['embed_dims'])
    for part in walk(cfg.model):
        if part.get('in_channels') == [64, 128, 320, 512]:
            part['in_channels'] = dims
        elif part.get('in_channels') == 512:
            part['in_channels'] = dims[-1]
    cfg.model.backbone.update(arch=TINY, with_cp=False, init_cfg=None)
    replace_sync_bn(cfg.model)
    apply_one(cfg, 'input_size', SIZES[task])
    if task == 'video':
        apply_one(cfg, 'frames', 4)
    if task == 'det':  # few regions: most of the time is theirs
        few = dict(nms_pre=50, max_per_img=20)
        cfg.model.train_cfg.rpn_proposal.update(few)
        cfg.model.test_cfg.rpn.update(few)
        cfg.model.train_cfg.rcnn.sampler.num = 16
    length = 'iters' if 'max_iters' in cfg.train_cfg else 'epochs'
    apply_one(cfg, length, 1)
    for split in ('train', 'val', 'test'):
        loader = cfg[f'{split}_dataloader']
        loader.update(batch_size=2, num_workers=0, persistent_workers=False)
    cfg.optim_wrapper.type = 'OptimWrapper'
    cfg.default_hooks.checkpoint.interval = 1


@pytest.mark.parametrize('title', BLOCKS)
def test_it_runs(title, folder):
    text = BLOCKS[title]
    task = re.search(r'configs/(\w+)/', text)[1]
    if find_spec(HOSTS[task]) is None:
        pytest.skip(f'needs {HOSTS[task]}')
    (folder / 'mine.py').write_text(text)
    cfg = Config.fromfile('mine.py')
    shrink(cfg, task)
    cfg.work_dir = 'work'
    cfg.experiment_name = re.sub(r'\W+', '_', title)
    before = SayHello.calls
    run = Runner.from_cfg(cfg)
    run.train()
    assert list((folder / 'work').glob('*_1.pth'))
    assert (SayHello.calls > before) == ('SayHello' in text)
    check(title.split()[0], run)


def check(first, run):
    """That a run is what the experiment wanted."""
    backbone = run.model.backbone
    groups = run.optim_wrapper.optimizer.param_groups
    if first == 'Averaged':
        assert any(type(hook).__name__ == 'EMAHook' for hook in run.hooks)
    elif first == 'Frozen':
        assert not any(p.requires_grad for p in backbone.blocks2.parameters())
    elif first == 'Lower':
        assert len({group['initial_lr'] for group in groups}) == 7
    elif first == 'Another' and hasattr(run.model, 'decode_head'):
        assert type(run.model.decode_head).__name__ == 'SegformerHead'
    elif first == 'Two':
        assert len(run.train_dataloader.dataset.datasets) == 2
