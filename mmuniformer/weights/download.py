"""Weight files by URL: one download per node, whole or not at all.

No collective takes part, so that no time limit of a process group runs while
a file comes: processes meet at a lock file in the cache. The system frees the
lock of a process that is killed.
"""

import fcntl
import hashlib
import os
import re
import time
import urllib.error
import urllib.request
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

import torch
from mmengine.logging import print_log

from ..errors import LocalUserError, UserError
from . import addresses, published, reading

# A server has so long for each answer, and for each MIN_BYTES of a file.
TIMEOUT_SECONDS = 30
MIN_BYTES = 2**16
ATTEMPTS = 3
# Who waits takes over when a download stands still for so long.
TAKE_OVER_SECONDS = 150
POLL_SECONDS = 0.1
BLOCK_BYTES = 2**20
LOCAL_RANKS = ('LOCAL_RANK', 'SLURM_LOCALID', 'MPI_LOCALRANKID')


def is_url(checkpoint: str) -> bool:
    """Whether a checkpoint must be downloaded."""
    return str(checkpoint).startswith(('http://', 'https://'))


def cached_path(url: str) -> Path:
    """Where the file of a URL is kept, in the cache of ``torch.hub``.

    Its name ends in a sum of the whole URL, because files of two hosts may
    have one name. Published files keep the name that ``torch.hub`` gives
    them, by which they may have been put there by hand.
    """
    folder = Path(torch.hub.get_dir()) / 'checkpoints'
    name = unquote(urlsplit(url).path).rsplit('/', 1)[-1]
    name = re.sub(r'[^\w.-]', '_', name).lstrip('.')[-128:] or 'weights'
    usual = folder / name
    release = published.by_name(name)
    if release and (usual.is_file() or release.url == url.split('?')[0]):
        return usual
    key = hashlib.sha256(url.encode()).hexdigest()[:12]
    return folder / f'{usual.stem}-url{key}{usual.suffix}'


def local_path(checkpoint: str) -> Path:
    """Where a file is, or will be once it is downloaded.

    Args:
        checkpoint: A path, a URL, or the name of a published file.
    """
    release = addresses.named(checkpoint)
    if release:
        known = addresses.file_of(release)
        if known or not release.hub:
            return known or addresses.folders()[-1] / f'{release.name}.pth'
        checkpoint = release.url
    if is_url(checkpoint):
        return cached_path(checkpoint)
    return Path(checkpoint).expanduser()


def fetch(checkpoint: str) -> Path:
    """Returns the local path of a file, downloading a URL once per node.

    Args:
        checkpoint: A path, a URL, or the name of a published file.

    Raises:
        UserError: It cannot be downloaded, here or by the process that this
            one has waited for.
    """
    release = addresses.named(checkpoint)
    if release and not Path(checkpoint).is_file():
        checkpoint = addresses.place_of(release)
    path = local_path(checkpoint)
    if not is_url(checkpoint) or path.is_file():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = open(path.with_name(f'.{path.name}.lock'), 'a+')
    except OSError as error:
        raise LocalUserError(
            f'checkpoint={checkpoint!r}: the cache {path.parent} cannot be '
            f'written ({error}); set TORCH_HOME to another folder'
        ) from error
    with lock:
        waited = _wait(lock, path)
        if path.is_file():
            return path
        lock.seek(0)
        failure = lock.read() if waited else ''
        if failure:
            raise UserError(failure)
        lock.truncate(0)
        try:
            _download(checkpoint, path)
        except (OSError, HTTPException) as error:
            message = (
                f'checkpoint={checkpoint!r}: download failed ({error}); put '
                f'the file at {path} or give its path'
            )
            lock.write(message)
            raise LocalUserError(message) from error
        # Whoever comes now finds the file, with or without this lock.
        Path(lock.name).unlink(missing_ok=True)
    return path


def _local_rank() -> int:
    """This process among those of its node, as far as launchers tell."""
    ranks = (os.environ.get(name, '') for name in LOCAL_RANKS)
    return next((int(rank) for rank in ranks if rank.isdecimal()), 0)


def _wait(lock: IO[str], path: Path) -> bool:
    """Waits for the file or for the turn to download it.

    Where the file system has no locks, the first process of each node begins.

    Returns:
        Whether another process had its turn meanwhile.
    """
    if _local_rank():
        time.sleep(POLL_SECONDS)  # the first one speaks and begins
    waited, seen, since = False, 0, time.monotonic()
    while not path.is_file():
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return waited
        except BlockingIOError:
            pass
        except OSError:
            if not _local_rank():
                return waited
        waited = True
        size = _arrived(path)
        if size != seen:
            seen, since = size, time.monotonic()
        if time.monotonic() - since > TAKE_OVER_SECONDS:
            return waited
        time.sleep(POLL_SECONDS)
    return waited


def _arrived(path: Path) -> int:
    """Bytes of a file that are there under other names."""
    size = 0
    for part in path.parent.glob(f'.{path.name}.*.part'):
        with suppress(FileNotFoundError):
            size += part.stat().st_size
    return size


def _download(url: str, path: Path) -> None:
    """Downloads a file under another name and gives it its own at the end."""
    print_log(f'downloading {url} to {path}', logger='current')
    own = f'{os.uname().nodename}.{os.getpid()}'
    part = path.with_name(f'.{path.name}.{own}.part')
    try:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                _receive(url, part)
                break
            except (OSError, HTTPException) as error:
                if attempt == ATTEMPTS or not _may_pass(error):
                    raise
                print_log(f'{url}: {error}; once more', logger='current')
                time.sleep(attempt)
        _check(url, part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _may_pass(error: Exception) -> bool:
    """Whether it may help to try again."""
    if isinstance(error, urllib.error.HTTPError):
        return error.code >= 500 or error.code == 429
    return isinstance(error, (ConnectionError, TimeoutError, HTTPException))


def _receive(url: str, part: Path) -> None:
    """Writes what a server sends, all of it."""
    request = urllib.request.Request(
        url, headers={'User-Agent': 'mmuniformer'}
    )
    with (
        urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer,
        open(part, 'wb') as file,
    ):
        wanted = answer.headers.get('Content-Length')
        size = seen = 0
        since = time.monotonic()
        while block := answer.read1(BLOCK_BYTES):
            size += file.write(block)
            now = time.monotonic()
            if now - since > TIMEOUT_SECONDS:
                if size - seen < MIN_BYTES:
                    raise TimeoutError(
                        f'{size - seen} bytes in {now - since:.0f} s'
                    )
                seen, since = size, now
        file.flush()
        os.fsync(file.fileno())
    if wanted is not None and size != int(wanted):
        raise HTTPException(f'the server sent {size} of {wanted} bytes')


def _check(url: str, part: Path) -> None:
    """Raises OSError if what came is not what was asked for."""
    kind = reading.foreign(part)
    if kind:
        raise OSError(f'what the server sent {kind}')
    release = published.by_name(Path(urlsplit(url).path).name)
    if release and release.url == url.split('?')[0] and release.md5:
        md5 = published.md5(part)
        if md5 != release.md5:
            raise OSError(f'its MD5 is {md5}, wanted {release.md5}')
