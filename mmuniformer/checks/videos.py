"""Lists of videos: reading them takes neither a model nor PyTorch."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..errors import UserError

if TYPE_CHECKING:
    from .findings import Findings


class Video(NamedTuple):
    """A line of a list.

    Attributes:
        line: Its number, from 1.
        path: A file, or a folder of frames, as it is written.
        frames: How many there are; 0 where the list does not say.
        label: Number of the class.
    """

    line: int
    path: str
    frames: int
    label: int


def read_list(
    path: str | Path,
    delimiter: str = ' ',
    frames: bool = False,
    found: Findings | None = None,
) -> list[Video]:
    """Reads lines of ``path label``, or of ``path frames label``.

    Args:
        path: The list.
        delimiter: Between the columns; paths may have it, too. A space is
            any number of spaces and tabs.
        frames: Whether there is a column with the number of frames.
        found: Gets the wrong lines, which are left out; without it they
            raise.

    Raises:
        UserError: The list is missing or empty, or a line is something else.
    """
    name = f'ann_file={str(path)!r}'
    columns = ['PATH', 'FRAMES', 'LABEL'] if frames else ['PATH', 'LABEL']
    form = delimiter.join(columns)
    try:
        lines = Path(path).read_text('utf-8-sig').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f'{name} cannot be read ({error}); wanted lines {form!r}'
        ) from error
    videos = []
    for number, line in enumerate(lines, 1):
        parts = line.strip().rsplit(
            delimiter.strip() or None, len(columns) - 1
        )
        if parts in ([], ['']):
            continue
        try:
            counts = [int(part) for part in parts[1:]]
        except ValueError:
            counts = []
        fault = ''
        if len(parts) < len(columns) or not counts or min(counts) < 0:
            fault = f'{line!r}; wanted {form!r}, with numbers from 0'
        elif frames and counts[0] == 0:
            fault = f'{parts[0]!r} has 0 frames; wanted at least 1, remove '
            fault += 'the line'
        if fault and found is not None:
            found.error('line of a list', f'{name}, line {number}: {fault}')
            continue
        if fault:
            raise UserError(f'{name}, line {number}: {fault}')
        videos.append(Video(number, parts[0], sum(counts[:-1]), counts[-1]))
    if not videos:
        raise UserError(f'{name} is empty; wanted lines {form!r}')
    return videos


def check_labels(
    path: str | Path, videos: Iterable[Video], classes: int, option: str
) -> None:
    """Raises UserError if a label is outside the classes.

    Args:
        path: The list.
        videos: What is in it.
        classes: Labels are from 0 to one less than this.
        option: Where this number is from.
    """
    videos = list(videos)
    strange = [video for video in videos if video.label >= classes]
    if strange:
        video = strange[0]
        hint = ''
        labels = {v.label for v in videos}
        if min(labels) == 1 and max(labels) == classes:
            hint = '; they begin at 1: subtract 1 from all of them'
        raise UserError(
            f'ann_file={str(path)!r}, line {video.line}: label '
            f'{video.label} of {video.path!r}, but {option}; wanted '
            f'labels from 0 to {classes - 1}, or more classes{hint}'
        )
