"""Small trainings that draw random numbers wherever a recipe does."""

import random

import numpy as np
import torch
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from torch import nn

from mmuniformer.engine import signals
from mmuniformer.engine.runner import SafeRunner

SAMPLES, BATCH = 12, 2


class Pictures:
    """Samples that are augmented by all three random generators."""

    metainfo = dict(classes=('a',))

    def __len__(self):
        return SAMPLES

    def __getitem__(self, index):
        noise = random.random() + np.random.rand() + torch.rand(3, 4, 4)
        return dict(inputs=torch.full((3, 4, 4), float(index)) + noise)


class Net(BaseModel):
    """Statistics of batches, and units that are dropped."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Dropout(0.5)
        )
        self.head = nn.Linear(4, 2)

    def forward(self, inputs, mode='tensor'):
        out = self.head(self.layers(torch.stack(inputs)).mean((2, 3)))
        return dict(loss=out.square().mean()) if mode == 'loss' else [out]


class Score(BaseMetric):
    """Draws random numbers, too."""

    def process(self, data_batch, data_samples):
        torch.rand(3)
        self.results.append(np.random.rand())

    def compute_metrics(self, results):
        return dict(score=1.0)


class Ask(Hook):
    """Sends a signal to itself in the middle of iteration ``at``."""

    def __init__(self, at=None, in_validation=False):
        self.at, self.in_validation, self.seen = at, in_validation, []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.seen.append(float(torch.stack(data_batch['inputs']).sum()))
        if runner.iter == self.at and not self.in_validation:
            signals._asked.append((10, 0.0))

    def before_val_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.at and self.in_validation:
            signals._asked.append((10, 0.0))


def make(folder, loop, hook=None, resume=False, workers=0, **options):
    """A runner of 3 epochs or 18 iterations."""
    data = dict(
        dataset=Pictures(),
        batch_size=BATCH,
        num_workers=workers,
        persistent_workers=bool(workers),
        sampler=dict(type='DefaultSampler', shuffle=True),
    )
    by_epoch = loop == 'epoch'
    torch.manual_seed(0)
    train = dict(data)
    if loop == 'infinite':
        train['sampler'] = dict(type='InfiniteSampler', shuffle=True)
    cfg = dict(
        model=Net(),
        work_dir=str(folder),
        train_dataloader=train,
        val_dataloader=dict(data, num_workers=0, persistent_workers=False),
        train_cfg=dict(by_epoch=True, max_epochs=3)
        if by_epoch
        else dict(by_epoch=False, max_iters=18, val_interval=7),
        val_cfg=dict(),
        val_evaluator=Evaluator(Score()),
        optim_wrapper=dict(optimizer=dict(type='AdamW', lr=0.05)),
        param_scheduler=[
            dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=4),
            dict(
                type='CosineAnnealingLR',
                by_epoch=by_epoch,
                T_max=3 if by_epoch else 18,
                convert_to_iter_based=by_epoch,
            ),
        ],
        default_hooks=dict(
            checkpoint=dict(
                type='CheckpointHook',
                by_epoch=by_epoch,
                interval=1 if by_epoch else 6,
                max_keep_ckpts=1,
            ),
            ema=dict(type='EMAHook', momentum=0.1),
            stop=dict(type='mmuniformer.StopHook'),
        ),
        custom_hooks=[hook] if hook else [],
        default_scope='mmengine',
        experiment_name=f'{folder.name}{random.SystemRandom().random()}',
        randomness=dict(seed=3),
        resume=resume,
        log_level='WARNING',
    )
    cfg.update(options)
    return SafeRunner(**cfg)


def last(folder):
    """What the last checkpoint of a run holds."""
    path = (folder / 'last_checkpoint').read_text()
    return torch.load(path, map_location='cpu', weights_only=False)


def states(checkpoint):
    """All tensors of a checkpoint that training depends on."""
    from mmuniformer.engine.resume import tensors

    keys = 'state_dict', 'ema_state_dict', 'optimizer'
    return {n: t for k in keys for n, t in tensors(checkpoint[k], k)}
