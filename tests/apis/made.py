"""Models with random weights, as files, and pictures."""

import os

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DATASETS, MODELS, init_default_scope

from mmuniformer.engine.launch import replace_sync_bn

from .. import ROOT

QUICK = ['--cfg-options'] + [
    f'{split}_dataloader.{option}'
    for split in ('train', 'val', 'test')
    for option in ('num_workers=0', 'persistent_workers=False')
]


def config(name):
    return str(ROOT / f'configs/{name}.py')


def write_checkpoint(name, folder, louder=(), times=30):
    """A file as a training run would save it.

    Args:
        name: Of a config.
        folder: Where data is and the file goes.
        louder: Parts of names of weights to multiply, so that the model is
            sure of something.
        times: By how much.
    """
    cfg = Config.fromfile(config(name))
    init_default_scope(cfg.default_scope)
    replace_sync_bn(cfg.model)
    cfg.model.backbone.init_cfg = None
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    state = model.state_dict()
    for key, value in state.items():
        if key.endswith('weight') and any(part in key for part in louder):
            value *= times
    before = os.getcwd()
    os.chdir(folder)
    try:
        meta = DATASETS.build(cfg.train_dataloader.dataset).metainfo
    finally:
        os.chdir(before)
    path = folder / f'{name.replace("/", "_")}.pth'
    torch.save(dict(state_dict=state, meta=dict(dataset_meta=meta)), path)
    return str(path)


def picture(height=96, width=128, seed=0):
    """A coloured picture (H, W, 3), smooth enough to be compressed."""
    noise = np.random.default_rng(seed).random((6, 8, 3))
    return np.uint8(255 * cv2.resize(noise, (width, height)).clip(0, 1))


def rates(model):
    """Learning rates by name, halved from layer to layer."""
    built = build_optim_wrapper(
        model,
        dict(
            optimizer=dict(type='AdamW', lr=1.0),
            constructor='mmuniformer.LayerDecay',
            paramwise_cfg=dict(layer_decay_rate=0.5),
        ),
    )
    names = {id(p): name for name, p in model.named_parameters()}
    return {
        names[id(p)]: group['lr']
        for group in built.optimizer.param_groups
        for p in group['params']
    }


def assert_layer_decay(model, head):
    """That a model learns slower towards its input.

    Args:
        model: Of any host.
        head: How names of what is behind the backbone begin.
    """
    found = rates(model)
    depths = model.backbone.arch.depths
    blocks = sum(depths)
    assert len(found) == len(list(model.parameters()))
    for start, layers_behind in (
        ('backbone.patch_embed1.', blocks + 1),
        ('backbone.blocks1.0.', blocks),
        (f'backbone.blocks3.{depths[2] - 1}.', 2),
        ('backbone.blocks4.0.', 1),
        (head, 0),
    ):
        own = {rate for name, rate in found.items() if name.startswith(start)}
        assert own == {0.5**layers_behind}, start
