"""Where a published file is: on this machine, on a public hub, or elsewhere.

``checkpoint='uniformer_small_in1k'`` stands for the file of this name,
wherever it is.
"""

from pathlib import Path

import torch

from ..errors import UserError
from . import published

SUFFIXES = ('.pth', '.pyth', '.pt', '.safetensors')


def folders() -> tuple[Path, ...]:
    """Where files with published names are looked for, in this order."""
    cache = Path(torch.hub.get_dir()) / 'checkpoints'
    return Path('checkpoints'), Path('.'), cache


def named(checkpoint: str) -> published.Release | None:
    """The published file that a checkpoint is the name of, or None."""
    return published.table().get(str(checkpoint))


def file_of(release: published.Release) -> Path | None:
    """The file of a release on this machine, by its name, or None."""
    for folder in folders():
        for path in sorted(folder.glob('*')) if folder.is_dir() else ():
            if path.suffix in SUFFIXES and path.is_file():
                if published.by_name(path) == release:
                    return path
    return None


def place_of(release: published.Release) -> str:
    """The path or URL of a published file.

    Raises:
        UserError: It is neither here nor on a public hub; the message says
            how to get it, and where to put it.
    """
    path = file_of(release)
    if path:
        return str(path)
    if release.hub:
        return release.url
    *_, cache = folders()
    target = cache / f'{release.name}.pth'
    how = 'it has no public address'
    if release.drive:
        how = (
            f'the authors keep it at {release.url}: download it with a '
            f'browser, or by `pip install gdown && gdown {release.drive} -O '
            f'{target}`'
        )
    raise UserError(
        f'checkpoint={release.name!r}: it is not on this machine, and {how}; '
        f'put it into checkpoints/ or at {target}'
    )
