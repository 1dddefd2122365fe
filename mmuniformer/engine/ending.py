"""How a tool ends: a line and an exit status, nothing left behind."""

import atexit
import errno
import multiprocessing
import os
import re
import signal
import sys
import traceback
from collections.abc import Callable
from multiprocessing import util
from types import FrameType
from urllib.error import URLError

import torch
import torch.distributed as dist

from ..compat.behind import CHECKPOINTS
from ..errors import LocalUserError, UserError
from . import first_batch, heartbeat
from .first_batch import BUILDERS
from .heartbeat import LOST_STATUS
from .signals import Stopped, ignore

MACHINE = {
    errno.ENOENT: 'there is no such file or folder',
    errno.ENOSPC: 'the disk is full',
    errno.EDQUOT: 'the quota of the disk is used up',
    errno.EACCES: 'no right to do that',
    errno.EPERM: 'no right to do that',
    errno.EROFS: 'the disk cannot be written',
    errno.ENOTDIR: 'a part of the path is a file',
    errno.EISDIR: 'it is a folder',
    errno.ELOOP: 'it is a link that leads to itself',
    errno.ENAMETOOLONG: 'the name is too long',
    errno.EEXIST: 'it is a file, wanted a folder',
    errno.EMFILE: 'too many open files; raise `ulimit -n`',
    errno.EIO: 'the disk has failed',
    errno.ESTALE: 'the network disk has gone',
}
# What mmengine says of what it cannot build.
UNKNOWN = re.compile(r'(?<= registry)\. Please check whether the value')
ARGUMENT = re.compile(
    r'(class `\w+` in .*: )?\w+\.__init__\(\) '
    r'(got an unexpected keyword|missing \d+ required)'
)
# Functions of mmengine by which things come from a config.
BUILDS = re.compile(r'build_\w*from_cfg|build_\w+_loop|from_cfg|to_dict')
SHARED_MEMORY = re.compile(
    r'bus error|unable to (write to file|open shared|allocate shared|mmap)'
    r'|shared memory \(shm\)|/dev/shm',
    re.IGNORECASE,
)
LOST = re.compile(
    r'gloo|connection (closed|reset|refused)|broken pipe|nccl|socket'
    r'|timed out|tcpstore|default process group',
    re.IGNORECASE,
)

# What PyTorch says where randomness.deterministic is asked for.
ORDER = re.compile(r'^(\S+) does not have a deterministic implementation')
# A checkpoint that is being written gets so long.
WRITING_SECONDS = 60
LOST_WORDS = 'has lost another one'


def run_tool(
    function: Callable[[], None], refuse: Callable[[Exception], None]
) -> None:
    """Runs a tool to its end.

    Args:
        function: What it does.
        refuse: Says what is wrong with the input, and exits.
    """
    try:
        function()
    except UserError as error:
        _exit_by(refuse, error)
    except Stopped as stopped:
        if int(os.environ.get('RANK', 0)) == 0:
            print(stopped, file=sys.stderr)
        finish(stopped.status)
    except Exception as error:
        fault = config_fault(error)
        if fault:
            _exit_by(refuse, UserError(fault))
        reason = explain(error) or first_batch.fault(error)
        if reason is None:
            sys.excepthook(type(error), error, error.__traceback__)
            finish(1)
        else:
            lost = LOST_STATUS if LOST_WORDS in reason else None
            _exit_by(refuse, LocalUserError(reason), lost)
    finish(0)


def _exit_by(
    refuse: Callable[[Exception], None],
    error: Exception,
    status: int | None = None,
) -> None:
    try:
        refuse(error)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
        finish(code if status is None else status)


def finish(status: int) -> None:
    """Ends the process at once.

    It does not wait for the threads of a process group, which abort a
    finished process when they outlive their group, and for the workers of
    data loaders: a worker that is stuck would not end with it.

    Args:
        status: Its exit status.
    """
    ignore()
    CHECKPOINTS.settle(WRITING_SECONDS)
    heartbeat.end()
    if status == 0:
        if dist.is_initialized():
            dist.destroy_process_group()
        # It would ask the workers to end, and wait for them.
        atexit.unregister(util._exit_function)  # type: ignore
        atexit._run_exitfuncs()
    # PyTorch's loaders raise an error when a worker of theirs is killed.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for child in multiprocessing.active_children():
        child.kill()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def config_fault(error: BaseException) -> str | None:
    """What is wrong with a config that cannot be built, in one line.

    Args:
        error: What ended a tool; None comes of any that mmengine does not
            raise when it builds something of an unknown type, or with an
            argument that the type does not take or lacks.
    """
    text = ' '.join(str(error.args[0] if error.args else '').split())
    if isinstance(error, KeyError) and UNKNOWN.search(text):
        return f'{UNKNOWN.split(text)[0]}; wanted a name that is known there'
    if isinstance(error, TypeError) and ARGUMENT.match(text):
        return f'config: {text}'
    return _build_fault(error)


def _build_fault(error: BaseException) -> str | None:
    """What a library says that mmengine has asked to build something.

    An error of code that is no library's, of the user or of ours, is a bug
    there: nothing is said of it.
    """
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    while frames and _package(frames[-1]) in sys.stdlib_module_names:
        frames.pop()
    names = [
        _built(frame)
        for frame in frames
        if BUILDS.match(frame.f_code.co_name) and _package(frame) == 'mmengine'
    ]
    known = frames and _package(frames[-1]) in BUILDERS
    if not known or not names or explain(error):
        return None
    text = ' '.join(str(error).split()) or 'no reason'
    where = f'{names[-1]}: ' if names[-1] else ''
    return f'config: {where}{type(error).__name__}: {text:.300}'


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get('__name__')).partition('.')[0]


def _built(frame: FrameType) -> str:
    """Name of what a function of mmengine builds, or ''."""
    names = 'obj_cls', 'scheduler_cls'
    kinds = filter(None, map(frame.f_locals.get, names))
    return next((getattr(kind, '__name__', '') for kind in kinds), '')


def explain(error: BaseException) -> str | None:
    """What went wrong on this machine, in one line; None if it is a bug.

    Args:
        error: What ended a tool.
    """
    text = ' '.join(str(error).split())
    if isinstance(error, torch.cuda.OutOfMemoryError):
        return (
            'the GPU is out of memory; wanted a smaller '
            'train_dataloader.batch_size, model.backbone.with_cp=True or '
            f'--amp ({text[:160]})'
        )
    if ORDER.match(text):
        return (
            f'randomness.deterministic=True: {ORDER.findall(text)[0]} has no '
            f'deterministic kernel on this device; wanted False for this '
            f'model'
        )
    if isinstance(error, MemoryError) or "can't allocate memory" in text:
        return (
            'this machine is out of memory; wanted a smaller batch_size or '
            f'fewer num_workers ({text[:160] or "MemoryError"})'
        )
    if 'DataLoader worker' in text and 'killed by signal: Killed' in text:
        return (
            'a worker that loads data was killed: most likely the machine '
            'was out of memory; wanted fewer train_dataloader.num_workers '
            'or a smaller batch_size. --resume auto goes on from the last '
            'checkpoint'
        )
    if SHARED_MEMORY.search(text):
        return (
            'the shared memory, /dev/shm, is full: workers hand pictures '
            'over in it; wanted more of it (docker run --shm-size=8g) or '
            f'train_dataloader.num_workers=0 ({text[:120]})'
        )
    if 'DataLoader worker' in text and 'exited unexpectedly' in text:
        return (
            'a worker that loads data has died; most likely the machine was '
            'out of memory: wanted fewer train_dataloader.num_workers'
        )
    if isinstance(error, URLError):
        url = getattr(error, 'url', None) or 'a URL'
        return f'{url!r} cannot be read: {text}'
    if isinstance(error, OSError) or 'No space left on device' in text:
        return _disk(error, text)
    if isinstance(error, RuntimeError) and dist.is_initialized():
        if LOST.search(text):
            rank = os.environ.get('RANK', '?')
            return (
                f'process {rank} {LOST_WORDS}, which has ended or '
                f'cannot be reached; --resume auto goes on from the last '
                f'checkpoint ({text[:160]})'
            )
    return None


def _disk(error: BaseException, text: str) -> str | None:
    number = getattr(error, 'errno', None)
    if 'No space left on device' in text:
        number = errno.ENOSPC
    if number not in MACHINE:
        return None
    name = getattr(error, 'filename', None)
    if number == errno.ENOENT and not name:
        return None
    where = f'{os.fspath(name)!r}: ' if name else ''
    kept = ''
    if number in (errno.ENOSPC, errno.EDQUOT):
        kept = '; what was saved before is whole: make room and --resume auto'
    return f'{where}{MACHINE[number]} ({text[:200]}){kept}'
