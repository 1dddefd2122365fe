"""The table of the published weight files, ``published.tsv``.

One row per file. ``name`` is the file's name without suffix (images) or the
authors' config folder, by which their file is called (all others).
``stem`` is 'patch', 'conv' (all stages) or 'conv1' (the first stage);
``layer_scale`` gives the stages that have it. ``md5`` is known for the image
classifiers; ``drive`` is the authors' id at Google Drive and ``hub`` a path on
the Hugging Face Hub that public code downloads from. ``mirrors`` are more
public addresses, as others name them; none of them has been tried.
``config`` is the recipe in ``configs/``. ``metrics`` are as published;
``params`` (millions) and
``flops`` (10^9 multiply-adds, all views of a video) are measured at ``input``.
``class_order`` is that of a Kinetics head, see :mod:`.labels`.

The ports of mmaction2 and mmpose are converted from the authors' files. Their
code has an epsilon of 1e-5 in the LayerNorms of attention blocks, where the
authors, and this package, have 1e-6.

head_dim changes no shape: files of one size with 32 and with 64 load into
each other's models without a word and give wrong results.
"""

import csv
import hashlib
import os
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

# Files with a known sum have these sizes, with some room for what a trainer
# adds; others are not read once more.
MD5_BYTES = range(40 * 2**20, 2 * 2**30)


class Release(NamedTuple):
    """One published file."""

    name: str
    task: str
    arch: str
    ndim: int
    head_dim: int
    stem: str
    layer_scale: str
    md5: str
    drive: str
    hub: str
    mirrors: str
    config: str
    input: str
    metrics: str
    params: str
    flops: str
    class_order: str = ''

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where it can be had without a browser, in the order to try."""
        mirrors = self.mirrors.split()
        if not self.hub:
            return tuple(mirrors)
        owner, repo, file = self.hub.split('/')
        hub = f'https://huggingface.co/{owner}/{repo}/resolve/main/{file}'
        return hub, *mirrors

    @property
    def url(self) -> str:
        """Where to get it, or ''."""
        drive = 'https://drive.google.com/file/d/'
        last = drive + self.drive if self.drive else ''
        return next(iter(self.addresses), last)

    @property
    def where(self) -> str:
        """What ``url`` is: 'hub', 'untried' mirror, 'drive', or '-'."""
        if self.hub:
            return 'hub'
        if self.mirrors:
            return 'untried'
        return 'drive' if self.drive else '-'

    def differences(self, path: Path) -> list[str]:
        """In words, if a file has this name and not its sum."""
        wanted, got = self.sums(path, path.name)
        if got == wanted:
            return []
        name = f'NOT the published {self.name}'
        return [f'{name}: its sum is {got}, not {wanted}']

    def sums(self, path: Path, name: str) -> tuple[str, str]:
        """The sum that a file is to have, and that it has; else nothing.

        Args:
            path: The file.
            name: Its name where it comes from: OpenMMLab's end in the first
                eight digits of its SHA-256, which is then the one to have.
        """
        ending = name_sum(name)
        if not path.is_file() or not (ending or self.md5):
            return '', ''
        if ending:
            return ending, _sum(path, hashlib.sha256())[: len(ending)]
        return self.md5, md5(path)


def name_sum(name: str) -> str:
    """The first digits of its SHA-256 that a file has in its name, or ''."""
    found = re.search(r'-([0-9a-f]{8})(_\d{8})?$', Path(name).stem)
    return found[1] if found else ''


@cache
def table() -> dict[str, Release]:
    """All published files by name."""
    with open(Path(__file__).with_name('published.tsv'), newline='') as file:
        rows = list(csv.reader(file, delimiter='\t'))[1:]
    releases = {}
    for row in rows:
        name, task, arch, ndim, head_dim, *rest = (
            '' if value == '-' else value for value in row
        )
        releases[name] = Release(
            name, task, arch, int(ndim), int(head_dim), *rest
        )
    return releases


def find(path: str | os.PathLike[str]) -> Release | None:
    """Recognises a published file by its name or its content.

    Args:
        path: A weight file; it need not exist.
    """
    return by_name(path) or _by_content(Path(path))


def by_name(path: str | os.PathLike[str]) -> Release | None:
    """Recognises a published file by its name."""
    return table().get(_plain_name(Path(path).stem))


def by_address(url: str) -> Release | None:
    """The published file that is to be at an address."""
    plain = url.partition('?')[0]
    release = by_name(plain.rpartition('/')[2])
    return release if release and plain in release.addresses else None


def _plain_name(stem: str) -> str:
    """Without the dates and hashes of mirrors; config folder for videos."""
    stem = re.sub(r'(-url[0-9a-f]{12}| ?\(\d+\))$', '', stem)
    stem = re.sub(r'(_\d{8})?-[0-9a-f]{8}(_\d{8})?$', '', stem)
    video = r'uniformer_(s|b)(?:mall|ase)_(k[46]00)_(\d+x\d+)$'
    stem = re.sub(video, r'uniformer_\1\3_\2', stem)
    video = r'uniformer_(s|b)(?:mall|ase)_(sthv[12])_(\d+)_(prek[46]00)$'
    return re.sub(video, r'uniformer_\1\3_\2_\4', stem)


def _by_content(path: Path) -> Release | None:
    if not path.is_file() or path.stat().st_size not in MD5_BYTES:
        return None
    known = {r.md5: r for r in table().values() if r.md5}
    return known.get(md5(path))


def md5(path: Path) -> str:
    """The sum by which the image classifiers are known."""
    return _sum(path, hashlib.md5(usedforsecurity=False))


def _sum(path: Path, digest: Any) -> str:
    with open(path, 'rb') as file:
        while block := file.read(2**22):
            digest.update(block)
    return digest.hexdigest()
