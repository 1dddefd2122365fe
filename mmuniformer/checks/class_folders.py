"""Data sets of mmpretrain: folders of classes, lists, lists in JSON."""

import os
from collections import Counter
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ..errors import UserError
from . import inputs, models, picture_lists
from .coco_files import read_json
from .datasets import Source, metainfo, type_name
from .findings import Findings
from .pictures import ENDINGS, VIDEOS, brief
from .samples import Data, Task

# As CustomDataset of mmpretrain.
EXTENSIONS = ('.jpg', '.jpeg', '.png', '.ppm', '.bmp', '.pgm', '.tif')


def is_folder(entry: os.DirEntry) -> bool:
    """Whether it is a folder; a link that leads to itself is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def class_folders(folder: str | Path) -> list[str]:
    """Names of the classes: the folders, without hidden ones."""
    return sorted(
        entry.name
        for entry in os.scandir(folder)
        if is_folder(entry) and not entry.name.startswith('.')
    )


def files_below(folder: str, name: str) -> list[str]:
    """Files of a class, by their path below the folder of the classes."""
    found = []
    for entry in os.scandir(os.path.join(folder, name)):
        inner = f'{name}/{entry.name}'
        if is_folder(entry):
            if not entry.name.startswith('.'):
                found += files_below(folder, inner)
        elif not entry.name.startswith('.'):
            found.append(inner)
    return found


def scan(
    folder: str, endings: tuple[str, ...], found: Findings
) -> tuple[list[str], list[tuple[str, int]]]:
    """The classes and the files of a folder of classes.

    Args:
        folder: It has a folder for each class.
        endings: Of the files that count, in lower case.
        found: Gets what is left out.

    Returns:
        Names of the classes, and (path, label) of each file.
    """
    names = class_folders(folder)
    samples = []
    left: list[str] = []
    for label, name in enumerate(names):
        files = sorted(files_below(folder, name))
        good = [f for f in files if f.lower().endswith(endings)]
        left += [f for f in files if not f.lower().endswith(endings)]
        samples += [(path, label) for path in good]
        if not good:
            found.warn(
                'empty class',
                f'folder {os.path.join(folder, name)!r} counts as class '
                f'{label}, but has no file *{" *".join(endings)}; remove it '
                f'if it is none',
            )
    media = [f for f in left if f.lower().endswith(ENDINGS + VIDEOS)]
    found.each(
        'left out for the ending',
        media,
        f'{{}} is left out for its ending; wanted *{" *".join(endings)}',
        f'{len(media)} files in {folder!r}, such as {media[:1]}, are left out '
        f'for their ending; wanted *{" *".join(endings)}',
        error=False,
    )
    return names, samples


def check(source: Source, cfg: Config, found: Findings, full: bool) -> Data:
    """Checks folders of classes, or a list of ``path label``.

    Args:
        source: A ``CustomDataset`` of mmpretrain or one made from it.
        cfg: Whole config.
        found: Gets what is wrong.
        full: Whether all pictures will be opened afterwards.
    """
    folder = picture_folder(source)
    labelled = source.cfg.get('with_label', True)
    known = known_names(source)
    endings = tuple(source.cfg.get('extensions') or EXTENSIONS)
    if not os.path.isdir(folder):
        return Data()  # said elsewhere
    if source.cfg.get('ann_file'):
        path = source.ann_file()
        rows = picture_lists.read_list(path, labelled, found)
        count = (len(known) if known else _outputs(cfg)) if labelled else None
        name = f'ann_file={path!r}'
        picture_lists.check_list(name, rows, folder, count, found)
        samples = [row[1:] for row in rows]
        names: Any = known
    elif labelled:
        names, samples = scan(folder, endings, found)
        if not names:
            found.error(
                'no classes',
                f'no folders in {folder!r}; wanted one for each class, with '
                f'the pictures of the class in it',
            )
        elif known and len(known) != len(names):
            found.error(
                'classes',
                f'{folder!r} has {len(names)} folders of classes, but '
                f'{source.name} has {len(known)} classes; use '
                f"type='CustomDataset' for a data set of your own",
            )
        elif known:
            check_order(names, list(known), source, found)
    else:
        names = None
        samples = [
            (os.path.relpath(os.path.join(base, file), folder), -1)
            for base, _, files in os.walk(folder)
            for file in files
            if file.lower().endswith(endings)
        ]
    if not labelled and source.split == 'train':
        for option, _ in models.class_counts(cfg.get('model')):
            if option.endswith('head.num_classes'):
                found.error(
                    'no labels',
                    f'with_label=False of {source.name}, but {option} says '
                    f'that classes are learned; set with_label=True',
                )
    if not samples:
        found.error(
            'no pictures',
            f'no picture *{" *".join(endings)} in {folder!r}',
        )
    counts = Counter(label for _, label in samples)
    check_token_labels(source, samples, found)
    paths = [os.path.join(folder, path) for path, _ in samples]
    inputs.check_sizes(source, cfg, paths, found)
    return Data(
        len(samples),
        names,
        {str(names[k]) if has_name(names, k) else str(k): v
         for k, v in counts.items()},
        [Task('picture', path) for path in paths] if full else (),
    )  # fmt: skip


def check_order(
    names: list[str], known: list[str], source: Source, found: Findings
) -> None:
    """Checks names that a config gives against the folders of the classes.

    The folders are numbered by name, whatever the config says. Names of quite
    other kinds are no fault: ImageNet's folders have numbers.

    Args:
        names: The folders, in order.
        known: The names of the config, as many.
        source: The data set.
        found: Gets what is wrong.
    """
    if not set(names) & set(known):
        return
    for label, (folder, name) in enumerate(zip(names, known)):
        if folder == name:
            continue
        note = found.error if folder in known else found.warn
        note(
            'names of classes',
            f'class {label} of {source.name} is folder {folder!r}, but '
            f'{name!r} in the config: folders are numbered by name. Wanted '
            f'classes={brief(map(repr, names), 8)}, or none',
        )


def empty_folders(source: Source) -> list[str]:
    """Folders that count as classes and have no picture."""
    folder = picture_folder(source)
    endings = tuple(source.cfg.get('extensions') or EXTENSIONS)
    return [
        name
        for name in class_folders(folder)
        if not any(
            file.lower().endswith(endings)
            for file in files_below(folder, name)
        )
    ]


def has_name(names: Any, label: int) -> bool:
    """Whether a label has a name."""
    return bool(names) and 0 <= label < len(names)


def picture_folder(source: Source) -> str:
    """Where the pictures are."""
    if source.is_a('mmpretrain.ImageNet') and not source.cfg.get(
        'data_prefix'
    ):
        return source.path(source.cfg.get('split') or '')
    return source.prefix('img_path') or source.path('')


def known_names(source: Source) -> Any:
    """Names of the classes that the data set's class or config has."""
    names = source.cfg.get('classes') or metainfo(source).get('classes')
    if isinstance(names, str) and os.path.isfile(names):
        names = Path(names).read_text().split('\n')
        names = [name.strip() for name in names if name.strip()]
    return names


def class_names(source: Source) -> Any:
    """Names of the classes: the known ones, else the folders' names."""
    if source.cfg.get('ann_file') or not source.cfg.get('with_label', True):
        return known_names(source)
    folder = picture_folder(source)
    return class_folders(folder) if os.path.isdir(folder) else None


def _outputs(cfg: Config) -> int | None:
    """Classes of the model, if its parts agree."""
    counts = {count for _, count in models.class_counts(cfg.get('model'))}
    return counts.pop() if len(counts) == 1 else None


def check_data_list(
    source: Source, cfg: Config, found: Findings, full: bool
) -> Data:
    """Checks OpenMMLab's own form, ``metainfo`` and ``data_list``.

    Args:
        source: A data set that reads as mmengine's ``BaseDataset``.
        cfg: Whole config.
        found: Gets what is wrong.
        full: Whether all pictures will be opened afterwards.
    """
    path = source.ann_file()
    if not path.endswith('.json') or not os.path.isfile(path):
        return Data()
    try:
        content = read_json(path)
    except UserError as error:
        found.error('annotation file', str(error))
        return Data()
    name = f'ann_file={path!r}'
    form = 'wanted metainfo and data_list, the form of OpenMMLab 2.0'
    good = isinstance(content, dict) and {'metainfo', 'data_list'} <= set(
        content
    )
    if not good or not isinstance(content['data_list'], list):
        found.error('annotation file', f'{name}: {form}')
        return Data()
    names = known_names(source) or content['metainfo'].get('classes')
    folder = source.prefix('img_path') or ''
    paths = []
    labels: list[tuple[str, int]] = []
    for place, item in enumerate(content['data_list']):
        if not isinstance(item, dict) or not isinstance(
            item.get('img_path'), str
        ):
            if source.prefix('img_path') is not None:
                found.error(
                    'sample', f'{name}: data_list[{place}] has no img_path'
                )
            continue
        paths.append(os.path.join(folder, item['img_path']))
        label = item.get('gt_label', [])
        many = label if isinstance(label, list) else [label]
        if not all(isinstance(k, int) for k in many):
            found.error(
                'sample',
                f'{name}: data_list[{place}].gt_label={label!r:.60}, wanted '
                f'numbers of classes',
            )
            continue
        labels += [(f'{name}: data_list[{place}]', k) for k in many]
    if not source.elsewhere():
        picture_lists.check_there(name, paths, found)
    count = len(names) if names else _outputs(cfg)
    if count:
        picture_lists.check_range(labels, count, found)
    return Data(
        len(content['data_list']),
        names,
        {str(names[k]) if has_name(names, k) else str(k): v
         for k, v in Counter(k for _, k in labels).items()},
        [Task('picture', path) for path in paths] if full else (),
    )  # fmt: skip


def check_token_labels(
    source: Source, samples: list[tuple[str, int]], found: Findings
) -> None:
    """Checks that each picture has a label map, if its pipeline reads them."""
    readers = [s for s in source.steps() if type_name(s) == 'LoadTokenLabel']
    if not readers:
        return
    maps = Path(readers[0]['folder'])
    if not maps.is_dir():
        found.error(
            'token labels',
            f'{str(maps)!r} does not exist. Unpack the label maps of token '
            f'labeling there, or make some with tools/make_token_labels.py',
        )
        return
    wanted = {
        f'{Path(path).parent.name}/{Path(path).stem}.pt' for path, _ in samples
    }
    have = {
        os.path.relpath(os.path.join(base, name), maps)
        for base, _, names in os.walk(maps)
        for name in names
    }
    missing = sorted(wanted - have)
    if missing:
        found.error(
            'token labels',
            f'{len(missing)} of {len(wanted)} pictures have no label map in '
            f'{str(maps)!r}; missing: {brief(missing)}',
        )
