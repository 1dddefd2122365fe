"""Every segmentation recipe trains and tests in mmseg, at a reduced size."""

import re
from math import isfinite

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, MODELS, init_default_scope
from mmengine.runner import Runner

from mmuniformer.engine.launch import replace_sync_bn
from mmuniformer.errors import LocalUserError
from mmuniformer.toyworld.ade import CLASSES

from .. import ROOT
from . import steps

pytest.importorskip('mmseg')

RECIPES = sorted(
    path.stem
    for path in (ROOT / 'configs/seg').glob('*.py')
    if 'toy' not in path.stem
)
TOY = ROOT / 'configs/seg/fpn_uniformer_toy.py'


def shrink(pipeline, factor=8):
    """Divides all sizes of pictures, branches included."""
    for entry in pipeline:
        for key in ('scale', 'crop_size'):
            if key in entry:
                entry[key] = tuple(side // factor for side in entry[key])
        for branch in entry.get('transforms', ()):
            shrink(branch, factor)


def small(name, data):
    cfg = steps.load(f'seg/{name}', data)
    cfg.model.data_preprocessor.size = (64, 64)
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        shrink(loader.dataset.pipeline)
    return cfg


# The pictures are smaller than the windows of the hybrid recipes.
@pytest.mark.parametrize('name', RECIPES)
def test_a_step_of_training_and_of_testing(name, toy_data):
    # Two images: UperNet normalises maps of one pixel.
    losses, unused, samples = steps.run(small(name, toy_data), images=2)
    assert all(map(isfinite, losses.values()))
    assert ('aux.loss_ce' in losses) == name.startswith('upernet')
    assert not unused
    labels = samples[0].pred_sem_seg.data
    assert labels.shape == samples[0].gt_sem_seg.data.shape == (1, 72, 96)
    assert 0 <= labels.min() and labels.max() < 150


def test_multi_scale_and_flip_test(toy_data):
    """The mean of twelve softmaxes, each turned back."""
    cfg = small('upernet_uniformer_s', toy_data)
    shrink(cfg.tta_pipeline)
    cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
    cfg.model.backbone.arch = dict(depths=(1, 1, 1, 1))
    init_default_scope(cfg.default_scope)
    model = MODELS.build(dict(cfg.tta_model, module=cfg.model)).eval()
    batch = pseudo_collate([DATASETS.build(cfg.test_dataloader.dataset)[0]])
    heights = [image[0].shape[1] for image in batch['inputs']]
    assert sorted(set(heights)) == [32, 48, 64, 80, 96, 112]
    with torch.no_grad():
        merged = model.test_step(batch)[0]
        mean = 0
        for inputs, samples in zip(batch['inputs'], batch['data_samples']):
            one = dict(inputs=inputs, data_samples=samples)
            logits = model.module.test_step(one)[0].seg_logits.data
            mean = mean + logits.softmax(0)
    assert len(heights) == 12
    assert torch.equal(merged.pred_sem_seg.data[0], mean.argmax(0))


def test_classes_that_do_not_occur_are_not_in_the_mean():
    """nan, not 0: mIoU of the toy world is over its own classes."""
    from mmseg.evaluation import IoUMetric

    counts = torch.zeros(4, 150)
    counts[:, [2, 5]] = torch.tensor([[8.0, 1], [10, 2], [9, 1], [9, 2]])
    metric = IoUMetric()
    metric.dataset_meta = dict(classes=['x'] * 150)
    assert metric.compute_metrics([tuple(counts)])['mIoU'] == 65.0


@pytest.fixture(scope='module')
def toy_cfg(toy_data):
    cfg = Config.fromfile(TOY)
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        loader.update(num_workers=1)
        loader.dataset.data_root = str(toy_data / 'ade/ADEChallengeData2016')
    init_default_scope(cfg.default_scope)
    return cfg


@pytest.fixture(scope='module')
def cwd(toy_data, tmp_path_factory):
    """Data and a random model whose guesses are classes that occur."""
    cfg = Config.fromfile(TOY)
    init_default_scope(cfg.default_scope)
    replace_sync_bn(cfg.model)
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    head = model.decode_head.conv_seg
    head.weight.data *= 100
    head.bias.data -= 1000
    head.bias.data[[index - 1 for index in CLASSES.values()]] += 1000
    folder = tmp_path_factory.mktemp('seg')
    torch.save(dict(state_dict=model.state_dict()), folder / 'toy.pth')
    (folder / 'data').symlink_to(toy_data)
    return folder


def test_two_processes_give_the_metrics_of_one_and_all_pictures(cwd, run_tool):
    said = [
        run_tool(
            *tool, '--show-dir', f'of_{i}', '--work-dir', f'dir_{i}', cwd=cwd
        )
        for i, tool in enumerate(
            [
                ('test.py', TOY, 'toy.pth'),
                ('dist_test.sh', TOY, 'toy.pth', 2),
            ],
            1,
        )
    ]
    # The table of all classes, and the line of the means.
    one, two = (
        re.findall(r'^\|.*\||aAcc.*mAcc: \S+', done.stdout, re.M)
        for done in said
    )
    assert len(one) == 152, said[0].stderr
    assert one == two, said[1].stderr
    miou = re.search(r'mIoU: (\S+)', one[-1])
    assert 0 < float(miou[1]) < 50
    for folder in ('of_1', 'of_2'):
        pictures = sorted(path.name for path in (cwd / folder).iterdir())
        assert pictures == [
            f'test_ADE_val_0000000{i}.jpg_0.png' for i in range(1, 5)
        ]
        assert not list(cwd.glob(f'{folder}/*/*'))


def broken(toy_cfg, tmp_path, path):
    """A loader of one picture, whose file at ``path`` is no picture."""
    root = tmp_path / 'ade'
    for folder, name in (
        ('images', 'ADE_train_00000001.jpg'),
        ('annotations', 'ADE_train_00000001.png'),
    ):
        source = f'{folder}/training/{name}'
        (root / source).parent.mkdir(parents=True)
        data = toy_cfg.train_dataloader.dataset.data_root
        content = open(f'{data}/{source}', 'rb').read()
        (root / source).write_bytes(b'?' * 99 if name == path else content)
    loader = Config(toy_cfg.train_dataloader.to_dict())
    loader.update(num_workers=1, batch_size=1)
    loader.dataset.data_root = str(root)
    return Runner.build_dataloader(loader, seed=0)


@pytest.mark.parametrize('end', ['jpg', 'png'])
def test_a_file_that_cannot_be_decoded_is_named(
    as_under_our_tools, toy_cfg, tmp_path, end
):
    loader = broken(toy_cfg, tmp_path, f'ADE_train_00000001.{end}')
    with pytest.raises(LocalUserError, match=rf'ADE_train_00000001\.{end}'):
        next(iter(loader))


def test_the_same_loader_reads_good_files(toy_cfg, tmp_path):
    batch = next(iter(broken(toy_cfg, tmp_path, None)))
    labels = batch['data_samples'][0].gt_sem_seg.data.numpy()
    known = [index - 1 for index in CLASSES.values()]
    assert np.isin(labels, [*known, 255]).all()
