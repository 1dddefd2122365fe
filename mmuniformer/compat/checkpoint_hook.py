"""CheckpointHook of mmengine deletes before it has saved, and by any path.

Before it writes a checkpoint it removes the one that this replaces: killed
between the two, or with a full disk, a run with ``max_keep_ckpts=1`` has
none. The best checkpoint it removes by the absolute path that the resumed file
names, also in the folder of a colleague, and whole folders. And it writes
``last_checkpoint`` in place. (No upstream issue.) Here it removes afterwards,
only files of its own folder, and replaces ``last_checkpoint``. A score that
nothing measures ends a training in a KeyError after the first validation
(mmocr#1990); here it is a warning.
"""

import builtins
import logging
import os
from contextlib import contextmanager
from functools import partial
from types import ModuleType
from typing import Any

from .behind import CHECKPOINTS
from .whole_files import replace

# Functions of a backend that say what there is.
ASKS = 'exists', 'isfile', 'isdir'


class Careful:
    """A file backend that removes later, and in one folder only.

    Args:
        backend: The one that does the rest.
        folder: Where the hook writes its checkpoints.
    """

    def __init__(self, backend: Any, folder: str) -> None:
        self.backend = backend
        self.folder = folder
        self.waiting: list[tuple[Any, str]] = []

    def __getattr__(self, name: str) -> Any:
        if name in ASKS:
            CHECKPOINTS.wait()
        return getattr(self.backend, name)

    def remove(self, path: str) -> None:
        """Notes a file."""
        self.waiting.append((self.backend.remove, path))

    def rmtree(self, path: str) -> None:
        """Notes a folder, which a checkpoint of deepspeed is."""
        self.waiting.append((self.backend.rmtree, path))

    def finish(self, new: set[str]) -> None:
        """Removes what was noted and is not one of the ``new`` files."""
        for remove, path in self.waiting:
            if is_inside(path, self.folder) and path not in new:
                CHECKPOINTS.after(partial(remove, path))
        self.waiting = []


def apply(module: ModuleType) -> None:
    """Changes the order of saving and removing."""
    hook = module.CheckpointHook
    before_train, save_step = (
        hook.before_train,
        hook._save_checkpoint_with_step,
    )
    save_best = hook._save_best_checkpoint

    def start(self: Any, runner: Any) -> None:
        forget_others(self, runner)
        before_train(self, runner)
        self.file_backend = Careful(self.file_backend, self.out_dir)
        self.file_client = self.file_backend

    def with_step(self: Any, runner: Any, step: int, meta: Any) -> None:
        with _afterwards(self):
            save_step(self, runner, step, meta)

    def best(self: Any, runner: Any, metrics: Any) -> None:
        with _afterwards(self):
            save_best(self, runner, with_all(self, metrics))

    start.__doc__ = before_train.__doc__
    hook.before_train = start
    hook._save_checkpoint_with_step = with_step
    hook._save_best_checkpoint = best
    module.open = OpenWhole  # type: ignore[attr-defined]


def with_all(hook: Any, metrics: dict[str, Any]) -> dict[str, Any]:
    """The scores, and None for what is waited for and nobody measures."""
    wanted = getattr(hook, 'key_indicators', None) or ()
    lacks = [key for key in wanted if key != 'auto' and key not in metrics]
    if lacks and metrics:
        from mmengine.logging import print_log

        print_log(
            f'save_best={", ".join(lacks)}: val_evaluator does not measure '
            f'it, so no best checkpoint is kept by it; it measures '
            f'{", ".join(metrics)}',
            logger='current',
            level=logging.WARNING,
        )
    return {**metrics, **dict.fromkeys(lacks)} if metrics else metrics


@contextmanager
def _afterwards(hook: Any) -> Any:
    """Removes what was to be removed once all is saved.

    Where saving fails nothing is removed.
    """
    backend = hook.file_backend
    if not isinstance(backend, Careful) or getattr(hook, '_saving', False):
        yield  # the best checkpoint has the last one saved again
        return
    hook._saving = True
    try:
        yield
        names = [hook.last_ckpt, getattr(hook, 'best_ckpt_path', None)]
        names += getattr(hook, 'best_ckpt_path_dict', {}).values()
        backend.finish(set(filter(None, names)))
    finally:
        hook._saving = False
        backend.waiting = []


class OpenWhole:
    """As ``open(path, 'w')``, of which all is written at the end."""

    def __new__(cls, path: str, mode: str = 'r', **kwargs: Any) -> Any:
        """The usual file where nothing is written."""
        if mode != 'w':
            return builtins.open(path, mode, **kwargs)
        return super().__new__(cls)

    def __init__(self, path: str, mode: str = 'w') -> None:
        self.path = path
        self.text = ''

    def __enter__(self) -> 'OpenWhole':
        return self

    def write(self, text: str) -> None:
        """Keeps the text."""
        self.text += text

    def __exit__(self, kind: Any, *_: Any) -> None:
        if kind is None:
            content = self.text.encode()
            CHECKPOINTS.after(partial(replace, self.path, content))


def is_inside(path: Any, folder: str) -> bool:
    """Whether a path is a file or folder right in ``folder``, by no link."""
    if not isinstance(path, (str, os.PathLike)):
        return False
    parent = os.path.dirname(os.path.abspath(path))
    return os.path.realpath(parent) == os.path.realpath(folder)


def forget_others(hook: Any, runner: Any) -> None:
    """Drops the files of another run from what was resumed.

    A best checkpoint that lies in the folder of this run under its name, as
    after a move, is taken for it. Of another run's the score goes, too:
    this run has its own best.
    """
    from mmengine.logging import print_log

    info = runner.message_hub.runtime_info
    folder = hook.out_dir or runner.work_dir
    if folder != runner.work_dir:
        name = os.path.basename(str(runner.work_dir).rstrip(os.sep))
        folder = os.path.join(folder, name)
    for key in [key for key in info if str(key).startswith('best_ckpt')]:
        path = info[key]
        if path is None or _is_remote(folder):
            continue
        name = os.path.basename(str(path))
        here = os.path.join(folder, name)
        if name.startswith('best_') and os.path.isfile(here):
            info[key] = here
            continue
        score = info.pop(key.replace('best_ckpt', 'best_score', 1), None)
        del info[key]
        print_log(
            f'{key}={path!r} in the checkpoint is not in {folder!r}: neither '
            f'the file nor its score ({score}) counts for this run',
            logger='current',
            level=logging.WARNING,
        )
    last = info.get('last_ckpt')
    numbers = info.get('keep_ckpt_ids')
    if numbers is not None:
        own = last is None or os.path.isfile(
            os.path.join(folder, os.path.basename(str(last)))
        )
        info['keep_ckpt_ids'] = [
            n for n in numbers if own and type(n) is int and n >= 0
        ]


def _is_remote(folder: str) -> bool:
    return '://' in str(folder)
