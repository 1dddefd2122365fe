"""Whether lists of videos fit their files and the model."""

import os
from collections import Counter
from pathlib import Path

from mmengine.config import Config

from ..errors import UserError
from . import class_folders, models
from .datasets import Source
from .findings import Findings
from .picture_lists import check_twice
from .pictures import VIDEOS, brief
from .samples import Data, Task
from .videos import Video, check_labels, read_list

# Data sets of folders of frames; others are of files.
FRAMES = ('mmuniformer.FrameDataset', 'mmaction.RawframeDataset')
OURS = ('mmuniformer.ClipDataset', 'mmuniformer.FrameDataset')
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


def check(source: Source, cfg: Config, found: Findings, full: bool) -> Data:
    """Checks a list, whether its videos are there, and their classes.

    Training needs one of the first videos; a test needs all of them.

    Args:
        source: A data set of ours or of mmaction2.
        cfg: Whole config.
        found: Gets what is wrong.
        full: Whether all videos will be opened afterwards.
    """
    frames = source.is_a(*FRAMES)
    folder = source.prefix('img' if frames else 'video') or ''
    names = None
    try:
        if source.cfg.get('ann_file'):
            videos = _read(source, frames, found)
        else:
            videos, names = folder_videos(folder, found)
    except UserError as error:
        found.error('list of videos', str(error))
        return Data()
    heads = list(models.class_counts(cfg.get('model')))
    if heads and not source.cfg.get('multi_class'):
        _check_classes(source, videos, names, heads, found)
    tested = source.cfg.get('test_mode', False) or full
    _check_exist(source, videos, folder, tested, found)
    if frames:
        _check_frames(source, videos, folder, found)
    check_twice(
        f'ann_file={source.ann_file()!r}',
        ((v.line, v.path, v.label) for v in videos),
        found,
    )
    counts = Counter(video.label for video in videos)
    kind = 'frames' if frames else 'video'
    template = source.cfg.get('filename_tmpl', 'img_{:05}.jpg')
    start = source.cfg.get('start_index', 1)
    tasks = [
        Task(
            kind,
            str(actual(Path(folder, v.path))),
            (v.frames, template, start) if frames else None,
        )
        for v in (videos if full else ())
    ]
    return Data(
        len(videos),
        names,
        {names[k] if names else str(k): v for k, v in counts.items()},
        tasks,
        lengths=[video.frames for video in videos] if frames else (),
    )


def folder_videos(
    folder: str, found: Findings | None = None
) -> tuple[list[Video], list[str]]:
    """The videos of a folder that has a folder for each class.

    Args:
        folder: The folder.
        found: Gets what is left out.

    Returns:
        The videos, and the names of the classes.

    Raises:
        UserError: There are none.
    """
    names: list[str] = []
    samples: list[tuple[str, int]] = []
    if os.path.isdir(folder):
        names, samples = class_folders.scan(
            folder, VIDEOS, Findings() if found is None else found
        )
    if not samples:
        raise UserError(
            f'no videos in folders below {folder!r}; wanted CLASS/*.mp4, or '
            f'a list, ann_file'
        )
    return [Video(0, path, 0, label) for path, label in samples], names


def _read(source: Source, frames: bool, found: Findings) -> list[Video]:
    """The list of a data set."""
    path = source.ann_file()
    ours = source.is_a(*OURS)
    if not ours and os.path.isfile(path):
        rows = _first_columns(
            path, source.cfg.get('delimiter', None if frames else ' ')
        )
        bare = rows and all(len(row) == 1 for row in rows)  # to predict on
        if (
            bare
            or source.cfg.get('multi_class')
            or source.cfg.get('with_offset')
        ):
            return [Video(i, r[0], 0, 0) for i, r in enumerate(rows, 1)]
        _check_columns(path, rows, frames, source, found)
    delimiter = source.cfg.get('delimiter', ',' if ours else ' ')
    if frames:
        return read_list(path, frames=True, found=found)
    return read_list(path, delimiter, found=found)


def _check_columns(
    path: str,
    rows: list[list[str]],
    frames: bool,
    source: Source,
    found: Findings,
) -> None:
    """Checks the columns of a list that mmaction2 splits everywhere."""
    wanted = 3 if frames else 2
    for number, row in enumerate(rows, 1):
        if len(row) > wanted:
            found.error(
                'line of a list',
                f'ann_file={path!r}, line {number}: {len(row)} columns, as '
                f'{source.name} splits paths with a blank or a delimiter, '
                f'too; wanted {wanted}, or '
                f"type='mmuniformer.{'Frame' if frames else 'Clip'}Dataset'",
            )


def _first_columns(path: str, delimiter: str | None) -> list[list[str]]:
    """The columns of a list, as mmaction2 splits it."""
    lines = Path(path).read_text('utf-8', 'replace').splitlines()
    return [x.strip().split(delimiter) for x in lines if x.strip()]


def actual(path: Path) -> Path:
    """A file; mmaction2 adds a suffix that is left out."""
    if not path.suffix and not path.exists():
        return path.with_suffix('.mp4')
    return path


def _check_exist(
    source: Source,
    videos: list[Video],
    folder: str,
    tested: bool,
    found: Findings,
) -> None:
    looked = videos if tested else videos[:FIRST]
    known: dict[Path, set[str]] = {}
    missing = []
    for video in looked:
        path = Path(folder, video.path)
        parent = path.parent
        if parent not in known:
            # One listing is faster than many questions.
            known[parent] = (
                set(os.listdir(parent)) if parent.is_dir() else set()
            )
        names = {path.name} | (set() if path.suffix else {f'{path.name}.mp4'})
        if not names & known[parent]:
            missing.append(str(path))
    if missing and (tested or len(missing) == len(looked)):
        first = '' if tested else 'first '
        found.each(
            'missing videos',
            missing,
            '{} does not exist',
            f'{len(missing)} of the {first}{len(looked)} videos in '
            f'{source.ann_file()!r} do not exist; missing: {brief(missing)}',
        )


def _check_frames(
    source: Source, videos: list[Video], folder: str, found: Findings
) -> None:
    """Checks that a folder has a first frame of the right name."""
    there = (Path(folder, v.path) for v in videos[:FIRST])
    first = next((path for path in there if path.is_dir()), None)
    if first is None:
        return
    template = source.cfg.get('filename_tmpl', 'img_{:05}.jpg')
    frame = first / template.format(source.cfg.get('start_index', 1))
    if not frame.exists():
        present = sorted(os.listdir(first))
        found.error(
            'names of frames',
            f'frame {str(frame)!r} does not exist; in its folder: '
            f'{brief(present, 1)}. Set filename_tmpl={template!r}, or '
            f'start_index, of the dataset',
        )


def _check_classes(
    source: Source,
    videos: list[Video],
    names: list[str] | None,
    heads: list[tuple[str, int]],
    found: Findings,
) -> None:
    """Checks that the model has the classes of the videos."""
    option, classes = heads[0]
    for other, number in heads:
        if number != classes:
            found.error(
                'number of classes',
                f'{other}={number}, but {option}={classes}; wanted the same',
            )
            return
    if names is not None and len(names) != classes:
        found.error(
            'number of classes',
            f'{len(names)} folders of classes, but {option}={classes}; set '
            f'{option}={len(names)}',
        )
    elif names is None:
        _note_labels(source, videos, classes, option, found)


def _note_labels(
    source: Source,
    videos: list[Video],
    classes: int,
    option: str,
    found: Findings,
) -> None:
    path = source.ann_file()
    strange = [video for video in videos if video.label >= classes]
    for video in strange if found.keep > 1 else strange[:1]:
        others = videos if found.keep == 1 else [video]
        try:
            check_labels(path, others, classes, f'{option}={classes}')
        except UserError as error:
            # The first one is the first of all in the list.
            found.error('label of no class', str(error))


def source(path: Path) -> tuple[str, str] | None:
    """How to get the data that a path of the recipes belongs to."""
    return next((SOURCES[x] for x in path.parts if x in SOURCES), None)
