"""What to predict: files, folders, patterns, lists, videos, cameras."""

import glob
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

PICTURES = tuple('.jpg .jpeg .png .bmp .ppm .pgm .tif .tiff .webp'.split())
VIDEOS = tuple(
    '.mp4 .avi .mkv .mov .webm .m4v .mpg .mpeg .wmv .flv .ts .3gp'.split()
)
LISTS = ('.txt', '.lst')


class Source(NamedTuple):
    """One input.

    Attributes:
        path: As given or found; a camera by its number.
        kind: 'picture', 'video', 'frames' (a folder of frames of one clip),
            'camera' or 'array'.
        name: What the files that are written for it are called: a path
            without suffix, relative to the folder that was given.
        error: Why it is no input at all, or ''.
        frame: The picture itself, (H, W, 3) in BGR, of an array.
    """

    path: str
    kind: str
    name: str
    error: str = ''
    frame: np.ndarray | None = None


def expand(sources: Iterable[Any], clips: bool = False) -> Iterator[Source]:
    """Finds every input that sources stand for, in order.

    A folder stands for the pictures and videos in and below it, sorted by
    name; for a model of clips, a folder that has pictures and no video
    stands for one clip of frames. A list (``.txt``) has a source per line,
    as has standard input, '-'; '#' begins a comment. Paths of a list are
    relative to the working folder or, where nothing is, to the list's.

    Args:
        sources: Paths, patterns, URLs, camera numbers, '-', or arrays
            (H, W, 3) in BGR.
        clips: Whether the model takes clips of videos, not pictures.

    Yields:
        Sources; what does not exist has an ``error``.
    """
    for number, source in enumerate(sources):
        if isinstance(source, np.ndarray):
            yield Source(f'array {number}', 'array', str(number), '', source)
        else:
            yield from _expand(os.fspath(source), clips)


def is_endless(sources: Iterable[Any]) -> bool:
    """Whether there is no telling how many inputs there are."""
    return any(
        isinstance(s, str) and (s == '-' or _is_camera(s)) for s in sources
    )


def _is_camera(path: str) -> bool:
    return path.isdecimal() and not os.path.exists(path)


def _expand(path: str, clips: bool) -> Iterator[Source]:
    suffix = os.path.splitext(path)[1].lower()
    if path == '-':
        yield from _lines(sys.stdin, '', clips)
    elif '://' in path:
        kind = 'video' if suffix in VIDEOS else 'picture'
        yield Source(path, kind, Path(path.split('://')[1]).stem)
    elif _is_camera(path):
        yield Source(path, 'camera', f'camera_{path}')
    elif os.path.isdir(path):
        yield from _folder(path, clips)
    elif os.path.exists(path):
        if suffix in LISTS:
            with open(path, encoding='utf-8', errors='replace') as file:
                yield from _lines(file, os.path.dirname(path), clips)
        else:
            kind = 'video' if clips or suffix in VIDEOS else 'picture'
            yield Source(path, kind, Path(path).stem)
    elif glob.has_magic(path):
        found = sorted(glob.glob(path, recursive=True))
        for name in found:
            yield from _expand(name, clips)
        if not found:
            yield Source(path, 'picture', '', 'nothing fits this pattern')
    else:
        yield Source(path, 'picture', '', 'no such file')


def _lines(lines: Iterable[str], folder: str, clips: bool) -> Iterator[Source]:
    for line in lines:
        path = line.strip()
        if not path or path.startswith('#') or path == '-':
            continue
        beside = os.path.join(folder, path)
        if not os.path.exists(path) and os.path.exists(beside):
            path = beside
        yield from _expand(path, clips)


def _folder(folder: str, clips: bool) -> Iterator[Source]:
    found = False
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith('.'))
        names = sorted(f for f in files if not f.startswith('.'))
        frames = [f for f in names if f.lower().endswith(PICTURES)]
        videos = [f for f in names if f.lower().endswith(VIDEOS)]
        inside = os.path.relpath(place, folder)
        if clips and frames and not videos:
            name = inside if inside != '.' else Path(place).resolve().name
            found = True
            yield Source(place, 'frames', name)
            continue
        for name in videos if clips else sorted(frames + videos):
            found = True
            kind = 'video' if name in videos else 'picture'
            stem = os.path.normpath(os.path.join(inside, Path(name).stem))
            yield Source(os.path.join(place, name), kind, stem)
    if not found:
        what = 'videos or frames' if clips else 'pictures or videos'
        yield Source(folder, 'picture', '', f'no {what} in this folder')
