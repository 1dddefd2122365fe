"""What is wrong with the machine is said in a line, before long work."""

import os
import shutil

import pytest
import torch
from mmengine.config import Config

from mmuniformer.engine import ending, machine
from mmuniformer.errors import UserError

from .runs import Net, make


def test_a_work_dir_that_is_a_file(tmp_path):
    (tmp_path / 'file').touch()
    for path in ('file', 'file/inside'):
        with pytest.raises(UserError, match=r'work_dir=.*file.*--work-dir'):
            machine.check_work_dir(Config(dict(work_dir=f'{tmp_path}/{path}')))


def test_a_work_dir_without_rights(tmp_path, monkeypatch):
    def no(*_, **__):
        raise PermissionError(13, 'Permission denied')

    monkeypatch.setattr(machine.tempfile, 'TemporaryFile', no)
    with pytest.raises(UserError, match='Permission denied'):
        machine.check_work_dir(Config(dict(work_dir=str(tmp_path))))


@pytest.mark.parametrize('free, wanted', [(100, UserError), (10**9, None)])
def test_room_for_the_checkpoints(tmp_path, monkeypatch, free, wanted):
    usage = shutil._ntuple_diskusage(10**9, 0, free)
    monkeypatch.setattr(machine.shutil, 'disk_usage', lambda _: usage)
    runner = make(tmp_path, 'epoch')
    if wanted is None:
        runner.train()
    else:
        with pytest.raises(UserError, match=r'0\.1 KiB are free'):
            runner.train()


def test_a_checkpoint_is_as_large_as_foretold(tmp_path):
    runner = make(tmp_path, 'epoch', model=Large())
    runner.train()
    real = os.path.getsize((tmp_path / 'last_checkpoint').read_text())
    assert machine.checkpoint_bytes(runner) == pytest.approx(real, rel=0.1)


class Large(Net):
    """Large enough for what a checkpoint holds besides tensors."""

    def __init__(self):
        super().__init__()
        self.more = torch.nn.Linear(500, 500)

    def forward(self, inputs, mode='tensor'):
        out = super().forward(inputs, mode)
        if mode == 'loss':
            out['more_loss'] = self.more.weight.sum() + self.more.bias.sum()
        return out


ERRORS = {
    'disk is full': OSError(28, 'No space left on device', '/w/epoch_1.pth'),
    'no right': PermissionError(13, 'Permission denied', '/w/a'),
    'is a file': NotADirectoryError(20, 'Not a directory', '/w/a'),
    'ulimit': OSError(24, 'Too many open files'),
    "'/data/train': there is no such": OSError(2, 'No such', '/data/train'),
    '--shm-size': RuntimeError(
        'DataLoader worker (pid 7) is killed by signal: Bus error. It is '
        'possible that dataloader\'s workers are out of shared memory.'
    ),
    'num_workers=0': RuntimeError(
        'unable to write to file </torch_1_2>: No space left on device (28)'
    ),
    'fewer train_dataloader.num_workers': RuntimeError(
        'DataLoader worker (pid 7) is killed by signal: Killed. '
    ),
    'has died': RuntimeError(
        'DataLoader worker (pid(s) 7) exited unexpectedly'
    ),
    'GPU is out of memory': torch.cuda.OutOfMemoryError('CUDA out of memory.'),
    'machine is out of memory': MemoryError(),
    'smaller batch_size': RuntimeError(
        "DefaultCPUAllocator: can't allocate memory: you tried to allocate 9"
    ),
}  # fmt: skip


@pytest.mark.parametrize('wanted', ERRORS)
def test_what_the_machine_does(wanted):
    said = ending.explain(ERRORS[wanted])
    assert wanted in said and '\n' not in said


@pytest.mark.parametrize(
    'error',
    [
        KeyError('x'),
        RuntimeError('shapes differ'),
        OSError('odd'),
        ValueError(),
    ],
)
def test_a_bug_keeps_its_traceback(error):
    assert ending.explain(error) is None
