"""Data in tar files: what the data set lists is there and can be read."""

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmengine import fileio
from mmengine.config import Config
from mmengine.registry import DATASETS

from ..shards.backend import PREFIX, TarBackend
from . import class_folders, models, picture_lists
from .datasets import Source
from .findings import Findings
from .pictures import error_text
from .samples import Data, Task

# What a sample names, and how that is opened.
KINDS = {
    'img_path': 'picture',
    'filename': 'video',
    'frame_dir': 'frames',
    'seg_map_path': 'picture',
}


def is_in_tar(source: Source) -> bool:
    """Whether a data set reads tar files."""
    prefix = source.cfg.get('data_prefix') or {}
    folders = [prefix] if isinstance(prefix, str) else prefix.values()
    names = [source.cfg.get('data_root'), source.cfg.get('ann_file'), *folders]
    return any(str(name).startswith(PREFIX) for name in names)


def check(source: Source, cfg: Config, found: Findings, full: bool) -> Data:
    """Checks a data set by what it lists itself.

    Args:
        source: A data set, of any class.
        cfg: Whole config.
        found: Gets what is wrong.
        full: Whether all files will be opened afterwards.
    """
    tasks: list[Task] = []
    labels: list[tuple[str, int]] = []
    try:
        with DATASETS.switch_scope_and_registry(source.scope) as registry:
            built = registry.build(dict(source.cfg, pipeline=[]))
        for i in range(len(built)):
            row = built.get_data_info(i)
            tasks += _tasks(row)
            label = row.get('gt_label', row.get('label'))
            if isinstance(label, int):
                name = row.get('img_path', row.get('filename'))
                labels.append((str(name), label))
    except Exception as error:
        found.error('data in tar files', error_text(error))
        return Data()
    name = f'ann_file={file!r}' if (file := source.ann_file()) else source.name
    videos = any(task.kind != 'picture' for task in tasks)
    picture_lists.check_there(
        name,
        [task.path for task in tasks],
        found,
        lambda paths: set(filter(fileio.exists, paths)),
        'videos' if videos else 'pictures',
    )
    names: Any = (built.metainfo or {}).get('classes')
    counts = {count for _, count in models.class_counts(cfg.get('model'))}
    if names or len(counts) == 1:
        classes = len(names) if names else counts.pop()
        picture_lists.check_range(labels, classes, found)
    has = class_folders.has_name
    return Data(
        len(built),
        names,
        {str(names[k]) if has(names, k) else str(k): v
         for k, v in Counter(k for _, k in labels).items()},
        tasks if full else (),
    )  # fmt: skip


def _tasks(row: dict[str, Any]) -> Iterator[Task]:
    for key, kind in KINDS.items():
        path = row.get(key)
        if not isinstance(path, str):
            continue
        extra = None
        if kind == 'frames':
            start = row.get('start_index', 1)
            extra = row['total_frames'], row['filename_tmpl'], start
        yield Task(kind, path, extra)


@contextmanager
def unpacked(task: Task, found: Findings) -> Iterator[tuple[Task, Findings]]:
    """A file of a tar file, or a folder of frames, on the disk meanwhile.

    Args:
        task: What to open.
        found: Gets what is found of it, by its own name.

    Yields:
        The task with the place on the disk, and what collects its findings.
    """
    if not task.path.startswith(PREFIX) or not fileio.exists(task.path):
        yield task, found
        return
    own = Findings(found.where, found.keep)
    with tempfile.TemporaryDirectory() as folder:
        place = os.path.join(folder, os.path.basename(task.path))
        names = ['']
        if task.kind == 'frames':
            names = [f'/{n}' for n in TarBackend().list_dir_or_file(
                task.path, list_dir=False)]  # fmt: skip
            os.mkdir(place)
        for name in names:
            with open(f'{place}{name}', 'wb') as file:
                file.write(fileio.get(f'{task.path}{name}'))
        yield task._replace(path=place), own
    for one in own:
        for text in (one.text, *one.others):
            note = found.error if one.error else found.warn
            note(one.kind, text.replace(place, task.path))
