"""mmengine's CheckpointHook loses nothing and deletes nobody's files."""

import os

import pytest
import torch
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn

import mmuniformer  # noqa: F401, what is tested


class Model(BaseModel):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)

    def forward(self, *inputs, mode):
        out = self.layer(torch.stack(inputs)).mean()
        return dict(loss=out) if mode == 'loss' else [out]


class Rising(BaseMetric):
    """Every validation is better than the one before."""

    best = 0

    def process(self, data_batch, data_samples):
        self.results.append(1)

    def compute_metrics(self, results):
        Rising.best += 1
        return dict(acc=Rising.best)


def run(folder, epochs, resume=None, **hook):
    data = dict(
        dataset=list(torch.ones(4, 2)),
        sampler=dict(type='DefaultSampler'),
        batch_size=2,
    )
    runner = Runner(
        Model(),
        str(folder),
        train_dataloader=data,
        val_dataloader=data,
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        val_cfg=dict(),
        val_evaluator=Evaluator(Rising()),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        default_hooks=dict(
            checkpoint=dict(type='CheckpointHook', interval=1, **hook)
        ),
        default_scope='mmengine',
        experiment_name=f'{folder.name}{epochs}{resume}',
        resume=bool(resume),
        load_from=resume and str(resume),
    )
    runner.train()
    return runner


def files(folder):
    return sorted(f.name for f in folder.glob('*.pth'))


def test_one_is_kept_of_each_kind(tmp_path):
    run(tmp_path, 3, save_best='acc', max_keep_ckpts=1)
    assert files(tmp_path) == ['best_acc_epoch_3.pth', 'epoch_3.pth']
    last = (tmp_path / 'last_checkpoint').read_text()
    assert last == str(tmp_path / 'epoch_3.pth')


@pytest.mark.parametrize('best', ['loss', ['acc', 'loss']])
def test_a_score_that_nothing_measures_ends_no_training(tmp_path, best):
    run(tmp_path, 1, save_best=best)
    own = ['best_acc_epoch_1.pth'] * ('acc' in best)
    assert files(tmp_path) == [*own, 'epoch_1.pth']


@pytest.mark.parametrize('best', [None, 'acc'])
def test_nothing_is_removed_where_saving_fails(tmp_path, monkeypatch, best):
    """At the second write of a kind there is one file of it; it stays."""
    run(tmp_path, 1, save_best=best, max_keep_ckpts=1)
    before = files(tmp_path)
    replace = os.replace

    def full(part, path):
        if f'{before[0][:4]}' in str(path) and '2' in str(path):
            raise OSError(28, 'No space left on device')
        return replace(part, path)

    monkeypatch.setattr(os, 'replace', full)
    last = tmp_path / 'epoch_1.pth'
    with pytest.raises(OSError, match='No space left'):
        run(tmp_path, 2, last, save_best=best, max_keep_ckpts=1)
    assert set(before[:1]) <= set(files(tmp_path))
    named = (tmp_path / 'last_checkpoint').read_text()
    torch.load(named, weights_only=False)


@pytest.fixture
def colleague(tmp_path):
    run(tmp_path / 'theirs', 1, save_best='acc', max_keep_ckpts=2)
    return tmp_path / 'theirs'


def test_the_files_of_another_run_stay(colleague, tmp_path):
    own = tmp_path / 'own'
    run(own, 3, colleague / 'epoch_1.pth', save_best='acc', max_keep_ckpts=1)
    assert files(colleague) == ['best_acc_epoch_1.pth', 'epoch_1.pth']
    assert files(own) == ['best_acc_epoch_3.pth', 'epoch_3.pth']


@pytest.mark.parametrize('info', ['folder', '../theirs/epoch_1', 'notes'])
def test_nothing_is_removed_by_a_path_in_a_checkpoint(
    colleague, tmp_path, info
):
    own = tmp_path / 'own'
    own.mkdir()
    (own / 'notes.txt').write_text('')
    path = colleague / 'epoch_1.pth'
    content = torch.load(path, weights_only=False)
    runtime = content['message_hub']['runtime_info']
    if info == 'folder':
        runtime['best_ckpt'] = str(colleague)
    elif info == 'notes':
        runtime['best_ckpt'] = str(own / 'notes.txt')
    else:
        runtime['keep_ckpt_ids'] = ['../../theirs/epoch_1'] * 5
    changed = tmp_path / 'changed.pth'
    torch.save(content, changed)
    run(own, 2, changed, save_best='acc', max_keep_ckpts=1)
    assert files(colleague) == ['best_acc_epoch_1.pth', 'epoch_1.pth']
    assert (own / 'notes.txt').exists()


def test_a_moved_run_goes_on_with_its_best(tmp_path):
    run(tmp_path / 'a', 1, save_best='acc', max_keep_ckpts=1)
    moved = (tmp_path / 'a').rename(tmp_path / 'b')
    run(moved, 2, moved / 'epoch_1.pth', save_best='acc', max_keep_ckpts=1)
    assert files(moved) == ['best_acc_epoch_2.pth', 'epoch_2.pth']
