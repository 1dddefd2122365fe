"""Hubs whose own libraries download where they are installed.

``huggingface_hub`` brings its cache, its mirrors and its offline switch,
``gdown`` the pages that Google Drive puts before large files. Without them
there is plain HTTP, and for Google Drive an instruction.
"""

import os
import re
import shutil
from importlib.util import find_spec
from pathlib import Path

HUB = 'https://huggingface.co'
DRIVE = 'https://drive.google.com/file/d/'
FILE = re.compile(r'https?://[^/]+/([^/]+/[^/]+)/resolve/([^/]+)/([^?]+)')


def at_endpoint(url: str) -> str:
    """An address of the hub at the mirror that ``HF_ENDPOINT`` names."""
    mirror = os.environ.get('HF_ENDPOINT', '').rstrip('/')
    if mirror and url.startswith(f'{HUB}/'):
        return mirror + url.removeprefix(HUB)
    return url


def has_gdown() -> bool:
    """Whether files of Google Drive can be had."""
    return find_spec('gdown') is not None


def hub_file(url: str) -> tuple[str, str, str] | None:
    """Repository, revision and file, where the hub's library can get it."""
    ours = url.startswith((f'{HUB}/', at_endpoint(f'{HUB}/')))
    found = FILE.match(url) if ours else None
    if found is None or find_spec('huggingface_hub') is None:
        return None
    return found[1], found[2], found[3]


def cached(url: str) -> Path | None:
    """A file in the cache of the hub's library, or None."""
    known = hub_file(url)
    if known is None:
        return None
    from huggingface_hub import try_to_load_from_cache

    repo, revision, file = known
    found = try_to_load_from_cache(repo, file, revision=revision)
    return Path(found) if isinstance(found, str) else None


def fetch(url: str, path: Path) -> Path | None:
    """Downloads by the library of a hub.

    Args:
        url: An address.
        path: Where it goes, if the library has no cache of its own.

    Returns:
        Where the file is; None where no library is for this address.

    Raises:
        OSError: It cannot be downloaded.
    """
    known = hub_file(url)
    try:
        if known:
            from huggingface_hub import hf_hub_download

            repo, revision, file = known
            return Path(hf_hub_download(repo, file, revision=revision))
        if url.startswith(DRIVE) and has_gdown():
            import gdown

            drive = url.removeprefix(DRIVE)
            if not gdown.download(id=drive, output=str(path), quiet=True):
                raise OSError('Google Drive did not give the file')
            return path
    except Exception as error:  # of kinds of the libraries' own
        text = ' '.join(str(error).split()) or type(error).__name__
        raise OSError(text[:300]) from error
    return None


def set_aside(path: Path, aside: Path) -> None:
    """Moves a file out of the way, out of a cache of links, too."""
    shutil.move(os.path.realpath(path), aside)
    if path.is_symlink():
        path.unlink()
