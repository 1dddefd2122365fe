"""One training step and one test step of a recipe, on a little data."""

import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DATASETS, MODELS, init_default_scope

from mmuniformer.engine.launch import replace_sync_bn

from .. import ROOT


def load(name, data):
    """A recipe whose data is in the folder ``data``, from random weights."""
    cfg = Config.fromfile(ROOT / f'configs/{name}.py')
    cfg.model.backbone.init_cfg = None
    replace_sync_bn(cfg.model)
    for split in ('train', 'test'):
        dataset = cfg[f'{split}_dataloader'].dataset
        for key in ('data_root', 'bbox_file'):
            if dataset.get(key):
                path = str(data / dataset[key].removeprefix('data/'))
                dataset[key] = path
    return cfg


def run(cfg, images=1, collate=pseudo_collate):
    """Trains a step with some images, tests a step with one.

    Args:
        cfg: A config.
        images: How many to train with.
        collate: What makes a batch of them.

    Returns:
        Values of the losses, names of the parameters without a gradient, and
        the data samples of the test.
    """
    init_default_scope(cfg.default_scope)
    torch.manual_seed(0)
    train, test = (
        DATASETS.build(cfg[f'{split}_dataloader'].dataset)
        for split in ('train', 'test')
    )
    model = MODELS.build(cfg.model)
    optimizer = build_optim_wrapper(model, cfg.optim_wrapper)
    optimizer.zero_grad = lambda **kwargs: None  # leave them for a look
    batch = collate([train[i] for i in range(images)])
    losses = model.train().train_step(batch, optimizer)
    unused = [
        name
        for name, parameter in model.named_parameters()
        if parameter.requires_grad and parameter.grad is None
    ]
    optimizer.optimizer.state.clear()
    with torch.no_grad():
        samples = model.eval().test_step(pseudo_collate([test[0]]))
    values = {name: float(loss.detach()) for name, loss in losses.items()}
    return values, unused, samples
