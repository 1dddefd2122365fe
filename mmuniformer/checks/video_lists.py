"""Lists of videos, and whether they fit their files and the model."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import UserError
from ..weights.files import brief

# For each data set of ours, the folder in ``data_prefix``.
FOLDERS = {
    'mmuniformer.ClipDataset': 'video',
    'mmuniformer.FrameDataset': 'img',
}
KINETICS = (
    'Kinetics (https://github.com/cvdfoundation/kinetics-dataset), with lists '
    'train.csv and val.csv of PATH,LABEL'
)
SOMETHING = (
    'Something-Something (https://www.qualcomm.com/developer/software/'
    'something-something-v-2-dataset) as frames, with lists train.txt and '
    'val.txt of FOLDER FRAMES LABEL'
)
# How to get the data of the recipes, by the name of their folder; and the
# layout of tools/make_toyworld.py that stands in for it.
SOURCES = {
    'kinetics400': (KINETICS, 'kinetics'),
    'kinetics600': (KINETICS, ''),
    'sthv1': (SOMETHING, 'ssv'),
    'sthv2': (SOMETHING, ''),
    'ucf101': (
        'UCF101 (https://www.crcv.ucf.edu/data/UCF101.php), with lists '
        'train.csv and val.csv of PATH LABEL',
        '',
    ),
    'hmdb51': (
        'HMDB51 (https://serre-lab.clps.brown.edu/resource/'
        'hmdb-a-large-human-motion-database) as frames, with lists train.txt '
        'and val.txt of FOLDER FRAMES LABEL',
        '',
    ),
}
# Training goes on without a few videos, as all copies of Kinetics lack some:
# so many of a list are looked for.
FIRST = 32


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
    path: str | Path, delimiter: str = ' ', frames: bool = False
) -> list[Video]:
    """Reads lines of ``path label``, or of ``path frames label``.

    Args:
        path: The list.
        delimiter: Between the columns; paths may have it, too. A space is
            any number of spaces and tabs.
        frames: Whether there is a column with the number of frames.

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
        if len(parts) < len(columns) or not counts or min(counts) < 0:
            raise UserError(
                f'{name}, line {number}: {line!r}; wanted {form!r}, with '
                f'numbers from 0'
            )
        if frames and counts[0] == 0:
            raise UserError(
                f'{name}, line {number}: {parts[0]!r} has 0 frames; wanted '
                f'at least 1, remove the line'
            )
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
    for video in videos:
        if video.label >= classes:
            raise UserError(
                f'ann_file={str(path)!r}, line {video.line}: label '
                f'{video.label} of {video.path!r}, but {option}; wanted '
                f'labels from 0 to {classes - 1}, or more classes'
            )


def check_files(dataset: dict[str, Any], split: str) -> None:
    """Checks that a list can be read and that its videos are there.

    A test needs all of them.

    Args:
        dataset: Config of a data set; of other kinds nothing is checked.
        split: How to call it in errors.

    Raises:
        UserError: A line is wrong, or videos are missing.
    """
    if dataset['type'] not in FOLDERS:
        return
    path, videos = _read(dataset)
    tested = dataset.get('test_mode', False)
    looked = videos if tested else videos[:FIRST]
    folder = _folder(dataset)
    missing = [
        str(folder / video.path)
        for video in looked
        if not _exists(folder / video.path)
    ]
    if missing and (tested or len(missing) == len(looked)):
        first = '' if tested else 'first '
        raise UserError(
            f'{split} data: {len(missing)} of the {first}{len(looked)} videos '
            f'in {str(path)!r} do not exist; missing: {brief(missing)}'
        )
    if FOLDERS[dataset['type']] == 'img':
        found = next(v for v in looked if _exists(folder / v.path))
        _check_frames(folder / found.path, dataset, split)


def _exists(path: Path) -> bool:
    """Whether there is a file; mmaction2 adds a suffix that is left out."""
    return path.exists() or bool(
        not path.suffix and path.with_suffix('.mp4').exists()
    )


def _check_frames(folder: Path, dataset: dict[str, Any], split: str) -> None:
    """Raises UserError if a folder has no first frame of the right name."""
    template = dataset.get('filename_tmpl', 'img_{:05}.jpg')
    frame = folder / template.format(dataset.get('start_index', 1))
    if not frame.exists():
        present = sorted(os.listdir(folder))
        raise UserError(
            f'{split} data: frame {str(frame)!r} does not exist; in its '
            f'folder: {brief(present, 1)}. Set filename_tmpl={template!r}, '
            f'or start_index, of the dataset'
        )


def check_classes(
    dataset: dict[str, Any], split: str, heads: list[tuple[str, int]]
) -> None:
    """Checks that the model has all classes of a list.

    Args:
        dataset: Config of a data set; of other kinds nothing is checked.
        split: How to call it in errors.
        heads: Option and value of each ``num_classes`` of the model.

    Raises:
        UserError: There are labels beyond, or the numbers differ.
    """
    if dataset['type'] not in FOLDERS or not heads:
        return
    option, classes = heads[0]
    for other, number in heads:
        if number != classes:
            raise UserError(
                f'{other}={number}, but {option}={classes}; wanted the same'
            )
    path, videos = _read(dataset)
    check_labels(path, videos, classes, f'{option}={classes}')


def _read(dataset: dict[str, Any]) -> tuple[Path, list[Video]]:
    """The list of a data set and what is in it."""
    path = Path(dataset.get('data_root') or '', dataset['ann_file'])
    if FOLDERS[dataset['type']] == 'img':
        return path, read_list(path, frames=True)
    return path, read_list(path, dataset.get('delimiter', ','))


def _folder(dataset: dict[str, Any]) -> Path:
    """Where the videos of a data set are."""
    prefix = dataset.get('data_prefix') or {}
    folder = prefix.get(FOLDERS[dataset['type']]) or ''
    return Path(dataset.get('data_root') or '', folder)


def source(path: Path) -> tuple[str, str] | None:
    """How to get the data that a path of the recipes belongs to."""
    return next((SOURCES[x] for x in path.parts if x in SOURCES), None)
