"""Weight files by name or URL: one download per node, whole or not at all.

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
from collections.abc import Sequence
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

import torch
from mmengine.logging import print_log

from ..errors import LocalUserError, UserError
from . import addresses, hubs, published, reading
from .parts import Part

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
        return addresses.file_of(release) or addresses.target(release)
    if is_url(checkpoint):
        return cached_path(checkpoint)
    return Path(checkpoint).expanduser()


def fetch(checkpoint: str) -> Path:
    """Returns the local path of a file, downloading it once per node.

    Args:
        checkpoint: A path, a URL, or the name of a published file, of which
            all addresses are tried in turn.

    Raises:
        UserError: It cannot be downloaded, here or by the process that this
            one has waited for.
    """
    release = addresses.named(checkpoint)
    if release and Path(checkpoint).is_file():
        return Path(checkpoint)
    path = local_path(checkpoint)
    if path.is_file():
        if release:
            addresses.say(release, path)
        return path
    if not release and not is_url(checkpoint):
        return path
    if addresses.offline():
        how = f'put the file at {path}'
        raise LocalUserError(
            f'checkpoint={checkpoint!r}: it is not on this machine, which is '
            f'offline ({" or ".join(addresses.OFFLINE)} is set); '
            f'{addresses.how_to_get(release) if release else how}'
        )
    if release:
        addresses.place_of(release)
    urls = addresses.sources(release) if release else [checkpoint]
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
        if local_path(checkpoint).is_file():
            return local_path(checkpoint)
        lock.seek(0)
        failure = lock.read() if waited else ''
        if failure:
            raise UserError(failure)
        lock.truncate(0)
        try:
            path = _download_from_any(urls, path)
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
    for part in path.parent.glob(f'.{path.name}*.part'):
        with suppress(FileNotFoundError):
            size += part.stat().st_size
    return size


def _download_from_any(urls: Sequence[str], path: Path) -> Path:
    """Downloads from the first of some addresses that has the file whole."""
    said: list[str] = []
    for url in urls:
        try:
            return _download(url, path)
        except (OSError, HTTPException) as error:
            last = url == urls[-1]
            if last and not said:
                raise
            said.append(f'{url}: {error}')
            if not last:
                text = f'{said[-1]}; trying the next address'
                print_log(text, logger='current')
    raise OSError('; '.join(said))


def _download(url: str, path: Path) -> Path:
    """Downloads a file under another name and gives it its own at the end."""
    print_log(f'downloading {url} to {path}', logger='current')
    release = _release(url, path)
    known = release and (release.md5 or published.name_sum(_name(url)))
    part = Part(path, bool(known))
    try:
        found = hubs.fetch(url, part.path)
        if found is not None:
            _check(url, found, path)
            if found == part.path:
                os.replace(found, path)
                found = path
            return found
        _receive_in_attempts(url, part)
        if part.mixed and _wrong(url, part.path, path):
            part.empty()  # two addresses that do not have the same file
            _receive_in_attempts(url, part)
        _check(url, part.path, path)
        os.replace(part.path, path)
        return path
    finally:
        part.close()


def _receive_in_attempts(url: str, part: Part) -> None:
    """Receives a file, trying again what may pass."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _receive(url, part)
            break
        except (OSError, HTTPException) as error:
            if attempt == ATTEMPTS or not _may_pass(error):
                raise
            print_log(f'{url}: {error}; once more', logger='current')
            time.sleep(attempt)


def _may_pass(error: Exception) -> bool:
    """Whether it may help to try again."""
    if isinstance(error, urllib.error.HTTPError):
        return error.code >= 500 or error.code in (416, 429)
    return isinstance(error, (ConnectionError, TimeoutError, HTTPException))


def _receive(url: str, part: Part) -> None:
    """Writes what a server sends, all of it, behind what is there."""
    headers = {'User-Agent': 'mmuniformer', **part.asked_for(url)}
    request = urllib.request.Request(url, headers=headers)
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # there is no rest of what we have
            part.empty()
        raise
    with answer:
        part.begin(url, answer)
        size = seen = part.size
        wanted = answer.headers.get('Content-Length')
        wanted = None if wanted is None else size + int(wanted)
        since = time.monotonic()
        while block := answer.read1(BLOCK_BYTES):
            size += part.file.write(block)
            part.file.flush()
            now = time.monotonic()
            if now - since > TIMEOUT_SECONDS:
                if size - seen < MIN_BYTES:
                    raise TimeoutError(
                        f'{size - seen} bytes in {now - since:.0f} s'
                    )
                seen, since = size, now
        os.fsync(part.file.fileno())
    if wanted is not None and size != wanted:
        raise HTTPException(f'the server sent {size} of {wanted} bytes')


def _release(url: str, path: Path | None) -> published.Release | None:
    """The published file that is to come, for itself or from a mirror."""
    release = published.by_address(url)
    found = published.by_name(path) if path and not release else None
    return found if found and addresses.target(found) == path else release


def _name(url: str) -> str:
    """The name of a file at an address."""
    return Path(urlsplit(url).path).name


def _check(url: str, part: Path, path: Path | None = None) -> None:
    """Raises OSError if what came is not what was asked for.

    Args:
        url: Where it came from.
        part: The file that came. If its sum is wrong it is kept aside.
        path: Where it is to go.
    """
    kind = reading.foreign(part)
    if kind:
        os.truncate(part, 0)
        raise OSError(f'what the server sent {kind}')
    wrong = _wrong(url, part, path)
    if wrong:
        aside = (path or part).with_name(f'{(path or part).name}.wrong')
        hubs.set_aside(part, aside)
        raise OSError(f'{wrong}; it is kept as {aside}')


def _wrong(url: str, part: Path, path: Path | None) -> str:
    """In words, if a published file has not its sum."""
    release = _release(url, path)
    wanted, got = release.sums(part, _name(url)) if release else ('', '')
    name = 'SHA-256' if published.name_sum(_name(url)) else 'MD5'
    return f'its {name} is {got}, wanted {wanted}' if got != wanted else ''
