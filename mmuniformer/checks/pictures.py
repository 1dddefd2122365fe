"""Sizes of pictures from their headers, and which files there are."""

import os
import warnings
from collections.abc import Iterable
from typing import Any

from ..errors import check_plain

# What the hosts' data sets count as pictures, and a few more.
ENDINGS = (
    '.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp', '.ppm',
    '.pgm', '.gif',
)  # fmt: skip
VIDEOS = (
    '.mp4', '.avi', '.mkv', '.webm', '.mov', '.mpg', '.mpeg', '.m4v', '.flv',
    '.wmv', '.3gp',
)  # fmt: skip
ORIENTATION = 0x0112  # EXIF


def read_header(
    path: str, turns: bool = True
) -> tuple[tuple[int, int], bool, str]:
    """Size as it is loaded, whether EXIF turns it, and the mode.

    OpenCV and mmcv turn a picture as its EXIF tag says.

    Args:
        path: The picture.
        turns: Whether the tag counts.

    Returns:
        (width, height), turned by a quarter or not, mode of Pillow.

    Raises:
        OSError: It is not there, or no picture.
    """
    from PIL import Image

    check_plain(path)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        with Image.open(path) as image:
            width, height = image.size
            mode = image.mode
            turned = (
                turns
                and image.format in ('JPEG', 'WEBP', 'MPO', 'TIFF')
                and image.getexif().get(ORIENTATION, 1) >= 5
            )
    return ((height, width) if turned else (width, height)), turned, mode


def listing(paths: Iterable[str]) -> set[str]:
    """Which of the files exist: each folder is listed once.

    One listing is faster than a hundred thousand questions.
    """
    known: dict[str, Any] = {}
    present = set()
    for path in paths:
        folder, name = os.path.split(path)
        if folder not in known:
            try:
                known[folder] = set(os.listdir(folder or '.'))
            except OSError:
                known[folder] = set()
        if name in known[folder]:
            present.add(path)
    return present


def spread(items: list[Any], count: int) -> list[Any]:
    """So many items of a list, evenly spread over it."""
    if len(items) <= count:
        return items
    return [items[i * len(items) // count] for i in range(count)]


def error_text(error: Exception) -> str:
    """The reason of an error in one line."""
    return ' '.join(str(error).split())[:160] or type(error).__name__


def brief(names: Iterable[str], count: int = 4) -> str:
    """The first few of many names or paths, whole, in one line."""
    found = [n if n.isprintable() else repr(n) for n in map(str, names)]
    more = f' and {len(found) - count} more' if len(found) > count else ''
    return (', '.join(found[:count]) + more) or 'none'
