"""Averaged weights: what is evaluated, saved, tested and resumed."""

import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn

from mmuniformer.errors import UserError
from mmuniformer.models import UniFormer
from mmuniformer.weights import files

from .. import ROOT, TINY

RECIPE = ROOT / 'configs/_base_/cls_runtime.py'
MOMENTUM = 0.3  # large enough to see


class Classifier(BaseModel):
    """A backbone with BatchNorms, and a head."""

    def __init__(self):
        super().__init__()
        self.backbone = UniFormer(TINY)
        self.head = nn.Linear(32, 3)

    def forward(self, inputs, data_samples=None, mode='tensor'):
        logits = self.head(self.backbone(inputs)[-1].mean((2, 3)))
        return dict(loss=logits.square().mean()) if mode == 'loss' else logits


class Watch(Hook):
    """Keeps the weights of each iteration."""

    def __init__(self):
        self.trained, self.validated, self.tested = [], [], []

    def after_train_iter(self, runner, *args, **kwargs):
        self.trained.append(weights(runner.model.state_dict()))

    def after_val_iter(self, runner, *args, **kwargs):
        self.validated.append(weights(runner.model.state_dict()))

    def after_test_iter(self, runner, *args, **kwargs):
        self.tested.append(weights(runner.model.state_dict()))


class Score(BaseMetric):
    """Finds everything equally good."""

    def process(self, data_batch, data_samples):
        self.results += [1.0] * len(data_samples)

    def compute_metrics(self, results):
        return dict(score=1.0)


def weights(state):
    """A copy; counters of batches, which are no weights, aside."""
    return {k: v.clone() for k, v in state.items() if v.is_floating_point()}


def same(one, other):
    return set(one) == set(other) and all(
        torch.allclose(one[name], other[name], atol=1e-7) for name in one
    )


def batches(count):
    generator = torch.Generator().manual_seed(0)
    data = torch.randn(count, 3, 64, 64, generator=generator)
    pictures = [dict(inputs=x) for x in data]
    return dict(
        dataset=pictures,
        batch_size=2,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
        collate_fn=dict(type='default_collate'),
    )


def runner(folder, name, epochs, load_from=None, resume=False, **options):
    """A run on six pictures, the averaging as in the recipes."""
    ema = Config.fromfile(RECIPE).default_hooks.ema
    watch = Watch()
    run = Runner(
        Classifier(),
        work_dir=str(folder),
        experiment_name=f'{folder.name}_{name}',
        train_dataloader=batches(6),
        val_dataloader=batches(2),
        test_dataloader=batches(2),
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        val_cfg=dict(),
        test_cfg=dict(),
        val_evaluator=Evaluator(Score()),
        test_evaluator=Evaluator(Score()),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        default_hooks=dict(ema=dict(ema, momentum=MOMENTUM)),
        custom_hooks=[
            dict(type='mmuniformer.LoadReportHook', **options),
            dict(type='mmuniformer.SameBuffersHook'),
            watch,
        ],
        load_from=load_from and str(load_from),
        resume=resume,
        default_scope='mmengine',
    )
    return run, watch


def average(states):
    """The moving average of the weights after each iteration."""
    mean = states[0]
    for state in states[1:]:
        mean = {
            name: (1 - MOMENTUM) * value + MOMENTUM * state[name]
            for name, value in mean.items()
        }
    return mean


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """Three iterations and a validation."""
    folder = tmp_path_factory.mktemp('ema')
    run, watch = runner(folder, 'train', epochs=1)
    run.train()
    return folder / 'epoch_1.pth', watch


@pytest.mark.parametrize('part', ['qkv.weight', 'running_mean'])
def test_raw_and_averaged_weights_differ(trained, part):
    """Otherwise the other tests would not tell them apart."""
    raw = trained[1].trained
    names = [name for name in raw[-1] if name.endswith(part)]
    averaged = average(raw)
    assert names
    for name in names:
        assert not torch.allclose(raw[-1][name], averaged[name], atol=1e-6)


def test_validation_sees_the_average(trained):
    watch = trained[1]
    assert same(watch.validated[-1], average(watch.trained))


def test_the_average_is_saved_as_the_model_and_the_raw_beside_it(trained):
    content = files.read(trained[0])
    raw = trained[1].trained
    assert same(weights(content['state_dict']), average(raw))
    assert same(weights(files.unwrap(content, raw=True)), raw[-1])


@pytest.mark.parametrize('raw', [False, True])
def test_testing(trained, tmp_path, raw):
    run, watch = runner(tmp_path, 'test', 1, trained[0], raw=raw)
    run.test()
    states = trained[1].trained
    assert same(watch.tested[-1], states[-1] if raw else average(states))


def test_raw_weights_that_are_not_there(trained, tmp_path):
    state = files.unwrap(files.read(trained[0]))
    path = tmp_path / 'one_set.pth'
    files.write(path, state)
    run, _ = runner(tmp_path, 'test', 1, path, raw=True)
    with pytest.raises(UserError, match=r"one_set\.pth'.*one set of weights"):
        run.test()


@pytest.mark.parametrize('options', [{}, dict(raw=True), dict(ema=True)])
def test_resuming_goes_on_with_both(trained, tmp_path, options):
    """The raw weights train on, the average goes on from the average."""
    path, watch = trained
    run, later = runner(tmp_path, 'resume', 2, path, resume=True, **options)
    run.call_hook('before_run')
    run.load_or_resume()
    assert same(weights(run.model.state_dict()), watch.trained[-1])
    run, later = runner(tmp_path, 'rest', 2, path, resume=True, **options)
    run.train()
    states = watch.trained + later.trained
    assert len(states) == 6
    assert same(later.validated[-1], average(states))
