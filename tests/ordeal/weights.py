"""Weight files that are damaged or hostile, through four tools."""

import random
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch

from mmuniformer.weights import files

from .. import ROOT, TINY
from .forked import Job, Outcome, run_all
from .hostile import DOORS, KINDS, Source


def write_config(folder: Path, name: str = 'tiny', epochs: int = 2) -> Path:
    """A classifier that trains in a second."""
    path = folder / f'{name}.py'
    path.write_text(
        f'_base_ = {str(ROOT / "configs/cls/uniformer_toy.py")!r}\n'
        f'model = dict(backbone=dict(arch={TINY}), '
        f'head=dict(in_channels=32))\n'
        f'train_cfg = dict(max_epochs={epochs}, val_interval={epochs})\n'
        f'train_dataloader = dict(batch_size=4, num_workers=0, '
        f'persistent_workers=False)\n'
        f'val_dataloader = dict(batch_size=4, num_workers=0, '
        f'persistent_workers=False)\n'
        f'test_dataloader = val_dataloader\n'
        f'default_hooks = dict(logger=dict(interval=1), '
        f'checkpoint=dict(interval=1, max_keep_ckpts=-1))\n'
    )
    return path


def command(door: str, config: Path, path: Path, work: Path) -> list[str]:
    """Gives a file to a tool."""
    return {
        'backbone': ['tests/ordeal/backbone.py', config, path],
        'test': ['tools/test.py', config, path, '--work-dir', work],
        'convert': ['tools/convert_checkpoint.py', path, work / 'out.pth'],
        'resume': [
            'tools/train.py', config, '--resume', path, '--work-dir', work,
            '--no-checks',
        ],
    }[door]  # fmt: skip


def good_file(folder: Path) -> Path:
    """A checkpoint of the first of two epochs, by train.py."""
    config = write_config(folder)
    work = folder / 'good'
    job = Job(
        'good', ['tools/train.py', config, '--work-dir', work], folder,
        lambda outcome: outcome.last if outcome.status else '',
    )  # fmt: skip
    for said in run_all([job]):
        if said:
            raise RuntimeError(said)
    return work / 'epoch_1.pth'


def trials(folder: Path, count: int, seed: int = 0) -> Iterator[list[str]]:
    """Gives each file to all tools.

    Yields:
        What went wrong with one file.
    """
    folder = folder / 'weights'
    folder.mkdir()
    (folder / 'data').symlink_to(folder.parent / 'data')
    good = good_file(folder)
    marker, victim = folder / 'executed', folder / 'other' / 'best_1.pth'
    victim.parent.mkdir()
    victim.write_bytes(b'of another run')
    config = folder / 'tiny.py'
    plain = partial(_judge, good, good, (), marker, victim)
    for said in run_all(_jobs(folder, config, good, 'good', plain)):
        if said:
            raise RuntimeError(f'the good file: {said}')
    raw = good.read_bytes()
    for i in range(count):
        name = [*KINDS][i % len(KINDS)]
        make, refuses = KINDS[name]
        rng = random.Random(f'{seed} {i} {name}')
        path = folder / f'{i}_{name}.pth'
        content = torch.load(good, weights_only=False)
        make(Source(raw, content, marker, victim), path, rng)
        judge = partial(_judge, good, path, refuses, marker, victim)
        jobs = _jobs(folder, config, path, path.stem, judge)
        wrong = [said for said in run_all(jobs) if said]
        path.unlink()
        yield wrong


def _jobs(folder, config, path, name, judge):
    """One for each door."""
    for door in DOORS:
        work = folder / f'{name}_{door}'
        work.mkdir(exist_ok=True)
        yield Job(
            work.name, command(door, config, path, work), folder,
            partial(judge, door, work),
        )  # fmt: skip


def _judge(
    good: Path, path: Path, refuses: tuple[str, ...], marker: Path,
    victim: Path, door: str, work: Path, outcome: Outcome,
) -> str:  # fmt: skip
    shutil.rmtree(work, ignore_errors=True)
    if marker.exists():
        shutil.rmtree(marker, ignore_errors=True)
        marker.unlink(missing_ok=True)
        return 'code of the file has run'
    if not victim.exists():
        return 'a file of another run is gone'
    if outcome.status == 2:
        named = path.name in outcome.errors[0]
        return '' if named else f'not named: {outcome.errors[0]}'
    if 'STAY RANDOM' in outcome.text:
        return ''  # a network that is trained may be new in parts
    if door in refuses:
        return 'is taken'
    return '' if _same(good, path) else 'other weights are taken'


def _same(good: Path, path: Path) -> bool:
    one, other = (files.read(x)['state_dict'] for x in (good, path))
    return all(torch.equal(value, other[name]) for name, value in one.items())
