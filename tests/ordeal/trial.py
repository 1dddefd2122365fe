"""A training as people run it, disturbed: killed, stopped, spoiled."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import torch

from .. import ROOT
from .forked import Fork

TASKS = {
    'cls': 'cls/uniformer_toy.py',
    'det': 'det/mask_rcnn_uniformer_toy.py',
    'seg': 'seg/fpn_uniformer_toy.py',
    'pose': 'pose/topdown_uniformer_toy.py',
    'video': 'video/uniformer_toy.py',
}
LONG = 600
# All that a training goes on from.
STATES = 'state_dict', 'ema_state_dict', 'optimizer'


class Trial:
    """Trainings of one task in a folder.

    Args:
        folder: Of all trainings; has the data.
        task: A key of ``TASKS``.
    """

    forks = False

    def __init__(self, folder, task):
        self.folder, self.task = folder, task
        self.config = folder / f'{task}.py'
        by_iter = task == 'seg'
        loop = (
            dict(max_iters=12, val_interval=6)
            if by_iter
            else dict(max_epochs=3, val_interval=3)
        )
        options = ', '.join(f'{k}={v}' for k, v in loop.items())
        self.config.write_text(
            f'_base_ = {str(ROOT / "configs" / TASKS[task])!r}\n'
            f'train_cfg = dict({options})\n'
            f'train_dataloader = dict(batch_size=2, num_workers=1)\n'
            f'val_dataloader = dict(batch_size=1, num_workers=1)\n'
            f'test_dataloader = val_dataloader\n'
            f'default_hooks = dict(logger=dict(interval=1), '
            f'checkpoint=dict(interval={4 if by_iter else 1}, '
            f'max_keep_ckpts=1))\n'
        )

    def command(self, name, *options):
        """A training in the work dir ``name``."""
        return [
            sys.executable, str(ROOT / 'tools/train.py'), str(self.config),
            '--no-checks', '--work-dir', name, *options,
        ]  # fmt: skip

    def start(self, name, *options):
        """Begins one: a process of its own, or a fork of this one."""
        if self.forks:
            command = 'tools/train.py', *self.command(name, *options)[2:]
            return Fork(command, self.folder, self.folder / f'{name}.log')
        log = open(self.folder / f'{name}.log', 'a')
        return subprocess.Popen(
            self.command(name, *options), cwd=self.folder, stdout=log,
            stderr=log, env=dict(os.environ, OMP_NUM_THREADS='1'),
        )  # fmt: skip

    def run(self, name, *options):
        """A whole one; its exit status."""
        return self.start(name, *options).wait(LONG)

    def result(self, name):
        """All tensors at the end of a training."""
        folder = self.folder / name
        path = folder / Path((folder / 'last_checkpoint').read_text()).name
        content = torch.load(path, map_location='cpu', weights_only=False)
        return dict(x for k in STATES for x in tensors(content.get(k, {}), k))

    def measure(self, name):
        """Notes how large the checkpoints of a training are."""
        paths = (self.folder / name).glob('*.pth')
        self.checkpoint_size = max(path.stat().st_size for path in paths)

    def log(self, name):
        """What it has said."""
        return (self.folder / f'{name}.log').read_text(errors='replace')


def tensors(value, name):
    """All tensors in nested containers."""
    if torch.is_tensor(value):
        yield name, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from tensors(inner, f'{name}.{key}')
    elif isinstance(value, (list, tuple)):
        for key, inner in enumerate(value):
            yield from tensors(inner, f'{name}.{key}')


def different(one, other):
    """Names of tensors that differ."""
    if one.keys() != other.keys():
        return sorted(one.keys() ^ other.keys())
    return [n for n in one if not torch.equal(one[n], other[n])]


def disturb(trial, name, number, seconds, rng):
    """Ends a training at a random moment; what is wrong with that, or ''."""
    process = trial.start(name, '--resume', 'auto')
    try:
        process.wait(rng.uniform(0.05, seconds))
    except subprocess.TimeoutExpired:
        process.send_signal(number)
    code = process.wait(LONG)
    if isinstance(process, Fork) and process.orphans():
        return 'processes are left behind'
    if number == signal.SIGKILL or code == 0:
        return ''
    lines = trial.log(name).strip().splitlines()
    if code not in (75, -number):
        return f'exit status {code}: {lines[-1][:200]}'
    if 'Traceback' in trial.log(name):
        return 'a traceback'
    if code == 75 and not lines[-1].startswith('stopped '):
        return f'the last line is {lines[-1][:200]}'
    return ''


def signals(trial, wanted, seconds, number, count, rng):
    """Trials of a signal: (tried, what went wrong)."""
    wrong = []
    done = 0
    while done < count:
        name = f'{trial.task}_{signal.Signals(number).name}_{done}'
        for _ in range(min(3, count - done)):
            done += 1
            said = disturb(trial, name, number, seconds, rng)
            if said:
                wrong.append(f'{name}: {said}')
        code = trial.run(name, '--resume', 'auto')
        if code:
            wrong.append(f'{name}: the last resume ends with {code}')
            continue
        bad = different(trial.result(name), wanted)
        if bad:
            wrong.append(f'{name}: {len(bad)} tensors differ: {bad[:2]}')
    return done, wrong


def not_finite(trial, value):
    """A spoiled batch: (tried, what went wrong)."""
    name = f'{trial.task}_{value}'
    plain, trial.config = trial.config, trial.folder / f'{name}.py'
    trial.config.write_text(
        f'_base_ = {str(plain)!r}\n'
        f"custom_imports = dict(imports=['mmuniformer.compat', "
        f"'mmuniformer.settings.on_load', 'tests.ordeal.spoil'])\n"
        f"custom_hooks = [dict(type='SpoilHook', at=1, value='{value}')]\n"
    )
    code = trial.run(name)
    trial.config = plain
    said = re.findall(r'iteration 2 is not finite.*', trial.log(name))
    if code:
        last = trial.log(name).strip().splitlines()[-1]
        return 1, [f'{name}: exit status {code}: {last[:300]}']
    if value == 'nan' and not said:
        return 1, [f'{name}: silent']
    strange = [
        n for n, t in trial.result(name).items() if not t.isfinite().all()
    ]
    return 1, [f'{name}: not finite: {strange[:2]}'] if strange else []


def full_disk(trial):
    """A work dir on a disk that is too small: (tried, what went wrong)."""
    name = f'{trial.task}_disk'
    folder = trial.folder / name
    folder.mkdir()
    size = 4 * trial.checkpoint_size
    mount = ['mount', '-t', 'tmpfs', '-o', f'size={size}', 'tmpfs', folder]
    if subprocess.run(mount, capture_output=True).returncode:
        return 0, []
    try:
        more = '--cfg-options', 'train_cfg.max_epochs=90'
        process = trial.start(name, *more)
        while not list(folder.glob('epoch_*')) and process.poll() is None:
            time.sleep(0.05)
        filler = folder / 'filler'
        with contextlib.suppress(OSError), open(filler, 'wb', 0) as file:
            while file.write(b'0' * 4096):
                pass
        code = process.wait(LONG)
        lines = trial.log(name).strip().splitlines()
        wrong = []
        if not code or 'disk is full' not in lines[-1]:
            wrong.append(f'{name}: exit status {code}: {lines[-1][:200]}')
        if list(folder.glob('.*.part')):
            wrong.append(f'{name}: half a file is left')
        for path in folder.glob('*.pth'):
            torch.load(path, weights_only=False)
        filler.unlink()
        if trial.run(name, '--resume', 'auto'):
            wrong.append(f'{name}: cannot go on after there is room')
        return 1, wrong
    finally:
        subprocess.run(['umount', '-l', str(folder)], check=False)
