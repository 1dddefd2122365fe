"""Where a published file is: on this machine, on a public hub, or elsewhere.

``checkpoint='uniformer_small_in1k'`` stands for the file of this name,
wherever it is; so does any of its public addresses.
"""

import os
from functools import cache
from pathlib import Path

import torch
from mmengine.logging import print_log

from ..errors import UserError
from . import hubs, published

SUFFIXES = ('.pth', '.pyth', '.pt', '.safetensors')
# Folders on the web that have published files under their names; asked first.
MIRRORS = 'MMUNIFORMER_MIRRORS'
OFFLINE = ('MMUNIFORMER_OFFLINE', 'HF_HUB_OFFLINE')


def folders() -> tuple[Path, ...]:
    """Where files with published names are looked for, in this order."""
    cache = Path(torch.hub.get_dir()) / 'checkpoints'
    return Path('checkpoints'), Path('.'), cache


def offline() -> bool:
    """Whether the environment forbids to download."""
    values = (os.environ.get(name, '').lower() for name in OFFLINE)
    return any(value in ('1', 'true', 'yes', 'on') for value in values)


def named(checkpoint: str) -> published.Release | None:
    """The published file that a checkpoint is the name or address of."""
    known = published.table().get(str(checkpoint))
    return known or published.by_address(str(checkpoint))


def file_of(release: published.Release) -> Path | None:
    """The file of a release on this machine, or None.

    It is known by its name, or by its sum under any other.
    """
    others = []
    for folder in folders():
        for path in sorted(folder.glob('*')) if folder.is_dir() else ():
            if path.suffix in SUFFIXES and path.is_file():
                known = published.by_name(path)
                if known == release:
                    return path
                others += [] if known else [path]
    for path in others if release.md5 else ():
        status = path.stat()
        if status.st_size in published.MD5_BYTES:
            if _md5(path, status.st_size, status.st_mtime) == release.md5:
                return path
    for url in release.addresses:
        found = hubs.cached(url)
        if found:
            return found
    return None


@cache
def _md5(path: Path, *_: float) -> str:
    return published.md5(path)


def say(release: published.Release, path: Path) -> None:
    """Logs by what a file is known that came here by hand."""
    if path.parent != folders()[-1] or published.by_name(path) != release:
        kind = 'name' if published.by_name(path) == release else 'sum'
        print_log(
            f'{release.name} is {path}, known by its {kind}', logger='current'
        )


def target(release: published.Release) -> Path:
    """Where a published file is kept in the cache of ``torch.hub``."""
    name = release.hub.rpartition('/')[2] or f'{release.name}.pth'
    return folders()[-1] / name


def sources(release: published.Release) -> list[str]:
    """The addresses to try in turn, those of own mirrors first."""
    own = os.environ.get(MIRRORS, '').replace(',', ' ').split()
    urls = [f'{base.rstrip("/")}/{target(release).name}' for base in own]
    urls += map(hubs.at_endpoint, release.addresses)
    if release.drive and hubs.has_gdown():
        urls.append(f'{hubs.DRIVE}{release.drive}')
    return urls


def how_to_get(release: published.Release) -> str:
    """What a person does to get a file, and where it goes."""
    path = target(release)
    if release.addresses:
        how = f'it is to be at {" or ".join(release.addresses)}'
    elif release.drive:
        how = (
            f'the authors keep it at {release.url}: download it with a '
            f'browser, or by `pip install gdown && gdown {release.drive} -O '
            f'{path}`'
        )
    else:
        how = 'it has no public address'
    return f'{how}; put it into checkpoints/ or at {path}'


def place_of(release: published.Release) -> str:
    """The path or URL of a published file, or its name.

    Raises:
        UserError: It is neither here nor at an address; the message says
            how to get it, and where to put it.
    """
    path = file_of(release)
    if path:
        return str(path)
    if sources(release):
        return release.url if release.addresses else release.name
    raise UserError(
        f'checkpoint={release.name!r}: it is not on this machine, and '
        f'{how_to_get(release)}'
    )
