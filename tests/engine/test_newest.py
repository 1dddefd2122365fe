"""`--resume auto` takes the newest checkpoint that is whole, or refuses."""

import logging
import os
import shutil
from collections import Counter

import pytest
import torch

from mmuniformer.engine import schedules
from mmuniformer.errors import UserError

from .runs import last, make


@pytest.fixture(scope='module')
def done(tmp_path_factory):
    """A run of three epochs; all checkpoints are there."""
    folder = tmp_path_factory.mktemp('done')
    make(folder, 'epoch', default_hooks=hooks()).train()
    return folder


@pytest.fixture
def folder(done, tmp_path):
    return shutil.copytree(done, tmp_path / 'moved')


def hooks(**changes):
    return dict(
        checkpoint=dict(type='CheckpointHook', interval=1),
        ema=dict(type='EMAHook', momentum=0.1),
        **changes,
    )


def resumed(folder, caplog, load_from=None, **options):
    """The epoch and iteration it goes on from, and what it says."""
    options.setdefault('default_hooks', hooks())
    options.setdefault('train_cfg', dict(by_epoch=True, max_epochs=3))
    runner = make(folder, 'epoch', resume=True, load_from=load_from, **options)
    runner.logger.addHandler(caplog.handler)
    with caplog.at_level(logging.INFO):
        runner.call_hook = until_training(runner, runner.call_hook)
        with pytest.raises(Begins):
            runner.train()
    return runner, caplog.text


class Begins(Exception):
    """Training would begin now."""


def until_training(runner, call):
    def hook(name, **kwargs):
        if name == 'before_train':
            raise Begins
        call(name, **kwargs)

    return hook


def change(path, function):
    content = torch.load(path, weights_only=False)
    function(content)
    torch.save(content, path)


def cut(path):
    path.write_bytes(path.read_bytes()[:-500])


BROKEN = {
    'cut': cut,
    'empty': lambda p: p.write_bytes(b''),
    'text': lambda p: p.write_text('<html>'),
    'folder': lambda p: (p.unlink(), p.mkdir()),
    'dangling link': lambda p: (p.unlink(), p.symlink_to('nowhere')),
    'a list': lambda p: torch.save([1], p),
    'no weights': lambda p: change(p, lambda c: c.pop('state_dict')),
    'no optimizer': lambda p: change(p, lambda c: c.pop('optimizer')),
    'empty optimizer': lambda p: change(p, lambda c: c.update(optimizer={})),
    'a schedule without its step': lambda p: change(
        p, lambda c: c['param_schedulers'][0].pop('last_step')
    ),
    'no moments': lambda p: change(
        p, lambda c: c['optimizer']['state'].clear()
    ),
    'no schedules': lambda p: change(p, lambda c: c.pop('param_schedulers')),
    'no average': lambda p: change(p, lambda c: c.pop('ema_state_dict')),
    'no log': lambda p: change(p, lambda c: c.pop('message_hub')),
    'no meta': lambda p: change(p, lambda c: c.pop('meta')),
    'no iter': lambda p: change(p, lambda c: c['meta'].pop('iter')),
    'an iteration without end': lambda p: change(
        p, lambda c: c['meta'].update(iter=10**30)
    ),
    'epoch is text': lambda p: change(
        p, lambda c: c['meta'].update(epoch='3')
    ),
    'not finite': lambda p: change(
        p, lambda c: c['state_dict']['head.bias'].fill_(torch.nan)
    ),
    'optimizer not finite': lambda p: change(
        p, lambda c: c['optimizer']['state'][0]['exp_avg'].fill_(torch.inf)
    ),
}  # fmt: skip


@pytest.mark.parametrize('how', BROKEN)
def test_a_broken_file_is_skipped_and_named(folder, caplog, how):
    BROKEN[how](folder / 'epoch_3.pth')
    runner, said = resumed(folder, caplog)
    assert (runner.epoch, runner.iter) == (2, 12)
    if how not in ('folder', 'dangling link'):
        assert 'going on from epoch_2.pth; skipped: epoch_3.pth' in said


@pytest.mark.parametrize(
    'text',
    [None, '', '\0', '/nowhere/epoch_3.pth', 'epoch_1.pth', '..', 'ä\n'],
)
def test_whatever_last_checkpoint_says(folder, caplog, text):
    path = folder / 'last_checkpoint'
    path.unlink()
    if text is not None:
        path.write_text(text)
    assert resumed(folder, caplog)[0].epoch == 3


@pytest.mark.parametrize('make', [os.mkfifo, os.mkdir])
def test_a_last_checkpoint_that_is_no_file(folder, caplog, make):
    (folder / 'last_checkpoint').unlink()
    make(folder / 'last_checkpoint')
    assert resumed(folder, caplog)[0].epoch == 3


def test_folders_in_the_place_of_files_are_kept(tmp_path):
    for name in ('epoch_3.pth', 'last_checkpoint'):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / 'mine').touch()
    make(tmp_path, 'epoch').train()
    assert last(tmp_path)['meta']['epoch'] == 3
    assert len([*tmp_path.glob('*.folder/mine')]) == 2


def test_binary_last_checkpoint(folder, caplog):
    (folder / 'last_checkpoint').write_bytes(b'\xff\xfe\x00')
    assert resumed(folder, caplog)[0].epoch == 3


def test_nothing_that_can_be_resumed_is_no_new_start(folder, caplog):
    for path in folder.glob('*.pth'):
        cut(path)
    with pytest.raises(UserError, match=r'epoch_3.*epoch_2.*epoch_1') as e:
        make(folder, 'epoch', resume=True, default_hooks=hooks()).train()
    assert 'another --work-dir' in str(e.value)
    assert '\n' not in str(e.value)


def test_only_a_best_one(folder):
    (folder / 'epoch_3.pth').rename(folder / 'best_score_epoch_3.pth')
    for path in (*folder.glob('epoch*'), folder / 'last_checkpoint'):
        path.unlink()
    with pytest.raises(UserError, match=r'best_score_epoch_3\.pth'):
        make(folder, 'epoch', resume=True).train()


def test_an_empty_folder_is_a_new_start(tmp_path, caplog):
    runner, said = resumed(tmp_path, caplog)
    assert (runner.epoch, runner.iter) == (0, 0)
    assert 'training starts anew' in said


@pytest.mark.parametrize('how', sorted({*BROKEN} - {'no average'}))
def test_a_broken_file_that_is_asked_for_is_refused(folder, how):
    path = folder / 'epoch_3.pth'
    BROKEN[how](path)
    with pytest.raises(UserError, match=r'epoch_3\.pth') as error:
        make(
            folder, 'epoch', resume=True, load_from=str(path),
            default_hooks=hooks(),
        ).train()  # fmt: skip
    assert '\n' not in str(error.value)


@pytest.mark.parametrize(
    'spoil',
    [
        lambda c: c['optimizer']['state'][0].update(exp_avg=torch.ones(1)),
        lambda c: c['optimizer']['param_groups'][0].update(lr=-1.0),
        lambda c: c.update(message_hub=dict(log_scalars=3)),
    ],
)
def test_what_the_libraries_do_not_check(folder, spoil):
    path = folder / 'epoch_3.pth'
    change(path, spoil)
    options = dict(load_from=str(path), default_hooks=hooks())
    with pytest.raises(UserError, match=r'epoch_3\.pth'):
        make(folder, 'epoch', resume=True, **options).train()


def test_more_epochs_and_their_schedule(folder, caplog):
    longer = [
        dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=4),
        dict(
            type='CosineAnnealingLR',
            T_max=9,
            by_epoch=True,
            convert_to_iter_based=True,
        ),
    ]
    runner, said = resumed(
        folder, caplog, param_scheduler=longer,
        train_cfg=dict(by_epoch=True, max_epochs=9),
    )  # fmt: skip
    assert 'T_max: 18 before, 54 now' in said
    group = runner.optim_wrapper.param_groups[0]
    # A third of a cosine from 0.05 to 0.
    assert abs(group['lr'] - 0.05 * 0.75) < 0.002


def test_other_milestones_are_another_schedule():
    before, now = (
        dict(milestones=Counter(at), gamma=0.1) for at in ([8, 11], [16, 22])
    )
    assert not schedules.changes([schedules.constants(now)], [now])
    found = schedules.changes([schedules.constants(now)], [before])
    assert len(found) == 1 and 'param_scheduler.0.milestones' in found[0]


def test_more_epochs_without_a_schedule_for_them(folder, caplog):
    train = dict(by_epoch=True, max_epochs=9)
    said = resumed(folder, caplog, train_cfg=train)[1]
    assert 'max_epochs: 3 before, 9 now' in said and 'ends where' in said


def test_other_options_of_the_optimizer(folder, caplog):
    optimizer = dict(type='AdamW', lr=0.01, weight_decay=0.3)
    wrapper = dict(optimizer=optimizer)
    said = resumed(folder, caplog, optim_wrapper=wrapper)[1]
    assert 'lr=0.05, not 0.01' in said
    assert 'weight_decay=0.01, not 0.3' in said


def test_another_batch_size(folder, caplog):
    loader = dict(make(folder, 'epoch')._train_dataloader, batch_size=4)
    runner, said = resumed(folder, caplog, train_dataloader=loader)
    assert 'batch_size: 2 when the checkpoint was saved, 4 now' in said
    assert runner.iter == 9  # three epochs of three


def test_replayed_schedules_are_those_of_a_run(done):
    """At the same place with the same rate, whatever the schedules are."""
    runner = make(done, 'epoch')
    saved = last(done)
    loop = runner.build_train_loop(runner._train_loop)
    runner._train_loop = loop
    wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.optim_wrapper = wrapper
    own = runner.build_param_scheduler(runner.param_schedulers)
    schedules.replay(own, wrapper, 6, 18)
    rate = saved['optimizer']['param_groups'][0]['lr']
    assert wrapper.param_groups[0]['lr'] == pytest.approx(rate)
