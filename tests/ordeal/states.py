"""Work dirs in every state that one may be left in, and --resume."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch

from .forked import Job, Outcome, run_all
from .trial import STATES, different, tensors
from .weights import write_config

EPOCHS = 3
NEWEST = 'epoch_2.pth'
# What a run of another kind brings.
LONGER = ['train_cfg.max_epochs=4']


def change(path: Path, function: Callable) -> None:
    """Changes the content of a checkpoint."""
    content = torch.load(path, weights_only=False)
    function(content)
    torch.save(content, path)


def _first(content: dict, key: str = 'state_dict') -> torch.Tensor:
    return next(t for _, t in tensors(content[key], key) if t.numel() > 1)


BROKEN: dict[str, Callable[[Path], object]] = {
    'cut': lambda p: p.write_bytes(p.read_bytes()[:-500]),
    'half': lambda p: p.write_bytes(p.read_bytes()[: p.stat().st_size // 2]),
    'empty': lambda p: p.write_bytes(b''),
    'zeros': lambda p: p.write_bytes(bytes(p.stat().st_size)),
    'a page': lambda p: p.write_text('<html>'),
    'a folder': lambda p: (p.unlink(), p.mkdir()),
    'a link to nowhere': lambda p: (p.unlink(), p.symlink_to('nowhere')),
    'a link to itself': lambda p: (p.unlink(), p.symlink_to(p.name)),
    'a pipe': lambda p: (p.unlink(), os.mkfifo(p)),
    'a list': lambda p: torch.save([1], p),
    'weights alone': lambda p: change(
        p, lambda c: [c.pop(k) for k in [*c] if k != 'state_dict']
    ),
    'no weights': lambda p: change(p, lambda c: c.pop('state_dict')),
    'no optimizer': lambda p: change(p, lambda c: c.pop('optimizer')),
    'no state of the optimizer': lambda p: change(
        p, lambda c: c['optimizer']['state'].clear()
    ),
    'no schedules': lambda p: change(p, lambda c: c.pop('param_schedulers')),
    'no averaged weights': lambda p: change(
        p, lambda c: c.pop('ema_state_dict')
    ),
    'no log': lambda p: change(p, lambda c: c.pop('message_hub')),
    'no meta': lambda p: change(p, lambda c: c.pop('meta')),
    'no iteration': lambda p: change(p, lambda c: c['meta'].pop('iter')),
    'an epoch that is text': lambda p: change(
        p, lambda c: c['meta'].update(epoch='2')
    ),
    'weights not finite': lambda p: change(
        p, lambda c: _first(c).view(-1)[0].fill_(torch.nan)
    ),
    'averages not finite': lambda p: change(
        p, lambda c: _first(c, 'ema_state_dict').view(-1)[0].fill_(torch.inf)
    ),
    'an optimizer not finite': lambda p: change(
        p, lambda c: _first(c, 'optimizer').view(-1)[0].fill_(torch.nan)
    ),
}  # fmt: skip
LAST: dict[str, Callable[[Path], object]] = {
    'is missing': lambda p: p.unlink(),
    'is empty': lambda p: p.write_text(''),
    'is binary': lambda p: p.write_bytes(b'\xff\xfe\0'),
    'names a file that is gone': lambda p: p.write_text('/no/epoch_9.pth'),
    'names an older file': lambda p: p.write_text('epoch_1.pth'),
    'names a folder': lambda p: p.write_text('..'),
    'is a folder': lambda p: (p.unlink(), p.mkdir()),
    'is a pipe': lambda p: (p.unlink(), os.mkfifo(p)),
    'is a link to nowhere': lambda p: (p.unlink(), p.symlink_to('no')),
    'has many lines': lambda p: p.write_text('a\nb\n' * 999),
}  # fmt: skip
# Names of files that are beside the checkpoints.
BESIDE = {
    'epoch_99999999999999999999.pth': b'',
    'epoch_-1.pth': b'x',
    'epoch_3.pth.tmp': b'x',
    '.epoch_3.pth.abc.part': b'half a file',
    'interim_iter_5.pth': b'half a file',
    'best_accuracy_top1_epoch_9.pth': b'x',
}
# Options that differ, and what must be said of it.
OTHERS = {
    'more epochs': (LONGER, 'max_epochs: 3 before, 4 now'),
    'another batch size': (
        ['train_dataloader.batch_size=2'],
        'batch_size: 4 when the checkpoint was saved, 2 now',
    ),
    'another rate': (
        ['optim_wrapper.optimizer.lr=0.5'], 'options of the checkpoint'
    ),
    'another weight decay': (
        ['optim_wrapper.optimizer.weight_decay=0.5'],
        'options of the checkpoint',
    ),
    'no averaging': (
        ['default_hooks.ema=None'], 'the config has no EMAHook'
    ),
    'less data': (
        ['train_dataloader.dataset.indices=4'],
        'training_samples: 8 when the checkpoint was saved, 4 now',
    ),
}  # fmt: skip
REFUSED = {
    'another network': ['model.backbone.arch.embed_dims=(8,16,24,64)',
                        'model.head.in_channels=64'],
    'another number of classes': ['model.head.num_classes=5'],
    'another optimizer': [
        'optim_wrapper.optimizer={"type":"SGD","lr":0.1,"momentum":0.9}',
        'optim_wrapper.optimizer._delete_=True',
    ],
}  # fmt: skip


class Dirs:
    """Copies of a work dir.

    Args:
        folder: Where they are made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / 'data').symlink_to(folder.parent / 'data')
        self.config = write_config(folder, epochs=EPOCHS)
        whole = self.job('whole', self.done, '--no-checks')
        for said in run_all([whole]):
            if said:
                raise RuntimeError(said)
        self.good = folder / 'whole'
        self.wanted = self.result(self.good)
        # As it was after two of the epochs.
        self.after_two = folder / 'two'
        shutil.copytree(self.good, self.after_two)
        (self.after_two / f'epoch_{EPOCHS}.pth').unlink()
        (self.after_two / 'last_checkpoint').write_text(
            str(self.good / NEWEST)
        )

    def job(self, name: str, judge: Callable, *options: str) -> Job:
        """A training in the work dir ``name``."""
        work = self.folder / name
        command = ['tools/train.py', self.config, '--work-dir', work]
        return Job(name, [*command, *options], self.folder, judge)

    def copy(self, name: str) -> Path:
        """A work dir after two epochs."""
        work = Path(shutil.copytree(self.after_two, self.folder / name))
        (work / 'last_checkpoint').write_text(str(work / NEWEST))
        return work

    @staticmethod
    def result(work: Path) -> dict[str, torch.Tensor]:
        """All tensors that a training ends with."""
        path = work / f'epoch_{EPOCHS}.pth'
        content = torch.load(path, weights_only=False)
        return dict(x for k in STATES for x in tensors(content[k], k))

    @staticmethod
    def done(outcome: Outcome) -> str:
        """Judges that it is done."""
        return outcome.last if outcome.status else ''

    def equal(self, name: str, says: str, outcome: Outcome) -> str:
        """Judges that it has ended as if nothing had been."""
        if outcome.status:
            return outcome.last
        bad = different(self.result(self.folder / name), self.wanted)
        if bad:
            return f'{len(bad)} tensors differ: {bad[:2]}'
        return '' if re.search(says, outcome.text) else 'silent'

    def says(self, says: str, outcome: Outcome) -> str:
        """Judges that it has gone on and named what differs."""
        if outcome.status:
            return outcome.last
        return '' if says in outcome.text else 'silent'

    def refused(self, name: str, outcome: Outcome) -> str:
        """Judges that it has refused and that all is still there."""
        work = self.folder / name
        if outcome.status != 2:
            return 'is taken'
        kept = work.is_file() or {*os.listdir(self.after_two)} <= {
            *os.listdir(work)
        }
        return '' if kept else 'files are gone'


def trials(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Yields the kind of each state and what went wrong."""
    dirs = Dirs(folder / 'states')
    for kind, jobs in (
        ('newest file broken', _newest(dirs)),
        ('all files broken', _all(dirs)),
        ('last_checkpoint broken', _last(dirs)),
        ('moved, linked, littered', _places(dirs)),
        ('another config', _others(dirs)),
        ('no folder to write', _files(dirs)),
    ):
        for said in run_all(jobs):
            yield kind, [said] if said else []


def _newest(dirs: Dirs) -> Iterator[Job]:
    """The run goes on from the file before, and names the broken one."""
    for i, (how, spoil) in enumerate(BROKEN.items()):
        name = f'newest_{i}_{how.replace(" ", "_")}'
        spoil(dirs.copy(name) / NEWEST)
        file = how in ('a folder', 'a pipe') or 'link' in how
        says = '' if file else rf'skipped: {NEWEST}'
        judge = partial(dirs.equal, name, says)
        yield dirs.job(name, judge, '--resume', 'auto')
        if how == 'no averaged weights':
            continue  # who asks for this file gets it, with a warning
        name = f'asked_{i}_{how.replace(" ", "_")}'
        spoil(dirs.copy(name) / NEWEST)
        path = str(dirs.folder / name / NEWEST)
        yield dirs.job(name, partial(dirs.refused, name), '--resume', path)


def _all(dirs: Dirs) -> Iterator[Job]:
    for how in (
        'cut',
        'empty',
        'a page',
        'no optimizer',
        'weights not finite',
    ):
        name = f'all_{how.replace(" ", "_")}'
        work = dirs.copy(name)
        for path in work.glob('epoch_*.pth'):
            BROKEN[how](path)
        yield dirs.job(name, partial(dirs.refused, name), '--resume', 'auto')
    name = 'best_alone'
    work = dirs.copy(name)
    (work / 'epoch_1.pth').rename(work / 'best_accuracy_epoch_1.pth')
    (work / NEWEST).unlink()
    judge = lambda outcome: '' if outcome.status == 2 else 'starts anew'  # noqa: E731
    yield dirs.job(name, judge, '--resume', 'auto')


def _last(dirs: Dirs) -> Iterator[Job]:
    for i, (how, spoil) in enumerate(LAST.items()):
        name = f'last_{i}_{how.replace(" ", "_")}'
        spoil(dirs.copy(name) / 'last_checkpoint')
        yield dirs.job(name, partial(dirs.equal, name, ''), '--resume', 'auto')


def _places(dirs: Dirs) -> Iterator[Job]:
    work = dirs.copy('moved')
    work.rename(dirs.folder / 'moved_to')
    yield dirs.job(
        'moved_to', partial(dirs.equal, 'moved_to', ''), '--resume', 'auto'
    )
    (dirs.folder / 'linked').symlink_to(dirs.copy('linked_to'))
    yield dirs.job(
        'linked', partial(dirs.equal, 'linked', ''), '--resume', 'auto'
    )
    for i, (file, content) in enumerate(BESIDE.items()):
        name = f'beside_{i}'
        (dirs.copy(name) / file).write_bytes(content)
        yield dirs.job(name, partial(dirs.equal, name, ''), '--resume', 'auto')


def _others(dirs: Dirs) -> Iterator[Job]:
    for i, (options, says) in enumerate(OTHERS.values()):
        name = f'other_{i}'
        dirs.copy(name)
        more = '--resume', 'auto', '--cfg-options', *options
        yield dirs.job(name, partial(dirs.says, says), *more)
    for i, options in enumerate(REFUSED.values()):
        name = f'refused_{i}'
        dirs.copy(name)
        more = '--resume', 'auto', '--cfg-options', *options
        yield dirs.job(name, partial(dirs.refused, name), *more)


def _files(dirs: Dirs) -> Iterator[Job]:
    name = 'a_file'
    (dirs.folder / name).write_text('x')
    yield dirs.job(name, partial(dirs.refused, name), '--resume', 'auto')
    name = 'a_file/below'
    judge = lambda outcome: '' if outcome.status == 2 else 'is taken'  # noqa: E731
    yield dirs.job(name, judge)._replace(name='below_a_file')
