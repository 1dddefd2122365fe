"""Data sets of mmdet with an XML file for each picture, as VOC's."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from mmengine.config import Config

from .coco_files import meant
from .datasets import Source, metainfo
from .findings import Findings
from .pictures import brief, error_text, listing
from .samples import Data, Task

SIDES = ('xmin', 'ymin', 'xmax', 'ymax')


def check(source: Source, cfg: Config, found: Findings, full: bool) -> Data:
    """Checks the list, the XML files and the names of the classes.

    Args:
        source: An ``XMLDataset`` of mmdet or one made from it.
        cfg: Whole config.
        found: Gets what is wrong.
        full: Whether all pictures will be opened afterwards.
    """
    classes = metainfo(source).get('classes') or ()
    path = source.ann_file()
    if not os.path.isfile(path):
        return Data()
    names = Path(path).read_text('utf-8', 'replace').splitlines()
    folder = source.prefix('sub_data_root') or ''
    pictures = source.cfg.get('img_subdir', 'JPEGImages')
    texts = source.cfg.get('ann_subdir', 'Annotations')
    files = [os.path.join(folder, pictures, f'{n}.jpg') for n in names]
    _check_there(files, 'pictures', path, found)
    texts = [os.path.join(folder, texts, f'{name}.xml') for name in names]
    present = _check_there(texts, 'XML files', path, found)
    counts: Counter[str] = Counter()
    for text in texts:
        if text in present:
            counts.update(_objects(text, found))
    _check_names(counts, classes, path, found)
    return Data(
        len(names),
        classes,
        {name: counts[name] for name in classes if counts[name]},
        [Task('picture', file) for file in files] if full else (),
    )


def _check_there(
    paths: list[str], what: str, name: str, found: Findings
) -> set[str]:
    """Which of the files are there; the others are noted."""
    present = listing(paths)
    missing = [path for path in paths if path not in present]
    found.each(
        f'missing {what}',
        missing,
        '{} does not exist',
        f'{len(missing)} of the {len(paths)} {what} of ann_file={name!r} do '
        f'not exist, such as {missing[:1]}',
    )
    return present


def _objects(path: str, found: Findings) -> list[str]:
    """Classes of the objects in an XML file."""
    try:
        root: Any = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, OSError) as error:
        found.error(
            'broken XML', f'{path!r} cannot be read: {error_text(error)}'
        )
        return []
    names = []
    for place, one in enumerate(root.findall('object')):
        names.append(one.findtext('name') or '')
        try:
            box = [float(one.findtext(f'bndbox/{side}')) for side in SIDES]
        except (TypeError, ValueError):
            found.error(
                'bndbox',
                f'{path!r}, object {place}: wanted bndbox with the numbers '
                f'{", ".join(SIDES)}',
            )
            continue
        if not (box[2] > box[0] and box[3] > box[1]):
            found.error(
                'bndbox',
                f'{path!r}, object {place}: {box}; wanted xmin below xmax '
                f'and ymin below ymax',
            )
    return names


def _check_names(
    counts: Counter[str], classes: Sequence[str], path: str, found: Findings
) -> None:
    """Checks the names of objects against those of the classes."""
    strange = [name for name in counts if name not in classes]
    never = [name for name in classes if not counts[name]]
    if strange and len(never) == len(classes):
        found.error(
            'nothing left',
            f'ann_file={path!r}: none of {counts.total()} objects is of the '
            f'classes {brief(classes)}; they are {brief(strange)}',
        )
    for name in never if strange else ():
        close = meant(name, strange)
        if close:
            found.error(
                'classes',
                f'ann_file={path!r}: no object is of class {name!r}{close}',
            )
