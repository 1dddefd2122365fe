"""Pictures and label maps of segmentation."""

import inspect
import os
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from mmengine.config import Config
from mmengine.registry import DATASETS

from ..errors import check_plain
from . import models
from .datasets import Source, metainfo, type_name
from .findings import Findings, debug
from .pictures import ENDINGS, brief, error_text, read_header, spread
from .samples import Data, Task

# Label maps that are opened at the start of a run; and, before it is said
# that a class never occurs, how many more.
FIRST_MAPS = 16
MORE_MAPS = 500
# Modes of Pillow in which a pixel is one number.
ONE_NUMBER = ('1', 'L', 'P', 'I', 'I;16', 'I;16B', 'I;16L', 'F')


class Labels(NamedTuple):
    """How the numbers in label maps become classes.

    Attributes:
        classes: Outputs of the head.
        names: Names of the classes.
        ignored: The label of pixels that do not count.
        reduce_zero: Label 0 is ignored, and 1 becomes 0.
        table: New label by old one, of a choice of classes.
        turns: Pictures are turned by their EXIF tag.
    """

    classes: int
    names: Sequence[str]
    ignored: int
    reduce_zero: bool
    table: dict[int, int] | None
    turns: bool = True

    def classes_of(self, values: Sequence[int]) -> dict[int, int]:
        """Class, as the model gets it, of each number in a file."""
        done = {}
        for value in values:
            new = value
            if self.reduce_zero:
                new = 255 if value in (0, 255) else value - 1
            done[value] = (self.table or {}).get(new, new)
        return done


def labels_of(source: Source, cfg: Config) -> Labels | None:
    """How a data set is read, or None if its labels are not."""
    steps = [
        step
        for step in source.steps()
        if type_name(step) == 'LoadAnnotations'
        and step.get('imdecode_backend', 'pillow') == 'pillow'
    ]
    if not steps or not isinstance(cfg.get('model'), dict):
        return None
    heads = [
        part
        for _, key, part in models.parts(cfg.model)
        if key == 'decode_head' and isinstance(part.get('num_classes'), int)
    ]
    if not heads:
        return None
    names = metainfo(source).get('classes') or ()
    own = getattr(source.kind, 'METAINFO', {}).get('classes')
    table = None
    if names and own and list(names) != list(own):
        table = {
            i: list(names).index(c) if c in names else 255
            for i, c in enumerate(own)
        }
    return Labels(
        heads[-1]['num_classes'],
        names,
        heads[-1].get('ignore_index', 255),
        reduces_zero(source),
        table,
        source.turns(),
    )


def reduces_zero(source: Source) -> bool:
    """Whether a data set ignores label 0; that of a class may be its own."""
    if 'reduce_zero_label' in source.cfg:
        return bool(source.cfg['reduce_zero_label'])
    for kind in getattr(source.kind, '__mro__', ()):
        if '__init__' in vars(kind):
            signature = inspect.signature(kind.__init__).parameters
            if 'reduce_zero_label' in signature:
                return bool(signature['reduce_zero_label'].default)
    return False


def check(source: Source, cfg: Config, found: Findings, full: bool) -> Data:
    """Checks that each picture has a label map, and opens some of them.

    Args:
        source: A data set of mmseg.
        cfg: Whole config.
        found: Gets what is wrong.
        full: Whether all files will be opened afterwards.
    """
    folder = source.prefix('img_path')
    maps = source.prefix('seg_map_path')
    if not folder or not os.path.isdir(folder):
        return Data()
    with DATASETS.switch_scope_and_registry(source.scope) as registry:
        built = registry.build(dict(source.cfg, pipeline=[], lazy_init=True))
    pairs = built.load_data_list()
    suffix = built.img_suffix
    _check_endings(folder, suffix, source, found, bool(pairs))
    labels = labels_of(source, cfg)
    has_maps = labels and maps and pairs and 'seg_map_path' in pairs[0]
    if not has_maps or not pairs:
        tasks = [Task('picture', p['img_path']) for p in pairs]
        return Data(len(pairs), tasks=tasks if full else ())
    assert labels is not None and maps is not None
    present = {
        os.path.normpath(os.path.join(base, name))
        for base, _, names in os.walk(maps)
        for name in names
    }
    wanted = [os.path.normpath(pair['seg_map_path']) for pair in pairs]
    missing = [path for path in wanted if path not in present]
    found.each(
        'no label map',
        missing,
        'the label map {} does not exist',
        f'{len(missing)} of {len(wanted)} pictures have no label map; '
        f'missing: {brief(missing)}'
        f'{_like(missing[0], present) if missing else ""}',
    )
    _check_unused(present - set(wanted), built, found)
    good = [
        (pair['img_path'], path)
        for pair, path in zip(pairs, wanted)
        if path in present
    ]
    if not full:
        _sample(good, labels, found)
    tasks = [Task('labels', path, (image, labels)) for image, path in good]
    return Data(
        len(pairs), labels.names, tasks=tasks if full else ()
    )  # fmt: skip


def _check_endings(
    folder: str, suffix: str, source: Source, found: Findings, any_pair: bool
) -> None:
    """Says which pictures are left out for their ending."""
    others: list[str] = []
    for _, _, names in os.walk(folder):
        others += [
            name
            for name in names
            if not name.endswith(suffix) and name.lower().endswith(ENDINGS)
        ]
    # A label map or another kind may lie beside the pictures.
    mixed = folder == source.prefix('seg_map_path')
    if not any_pair:
        has = ''
        if others:
            has = f'; it has {others[0]!r}, see img_suffix of the dataset'
        found.error('no pictures', f'no picture *{suffix} in {folder!r}{has}')
    elif others and not mixed and not source.cfg.get('ann_file'):
        found.each(
            'left out for the ending',
            others,
            f'{{}} is left out for its ending; wanted *{suffix} (img_suffix)',
            f'{len(others)} pictures in {folder!r}, such as {others[0]!r}, '
            f'are left out for their ending; wanted *{suffix} (img_suffix)',
            error=False,
        )


def _check_unused(unused: set[str], built: Any, found: Findings) -> None:
    """Says which label maps have no picture."""
    maps = [p for p in sorted(unused) if p.endswith(built.seg_map_suffix)]
    if not built.ann_file:
        found.each(
            'no picture',
            maps,
            f'label map {{}} has no picture *{built.img_suffix}',
            f'{len(maps)} label maps have no picture *{built.img_suffix}, '
            f'such as {maps[:1]}; they are left out',
            error=False,
        )


def _like(path: str, present: set[str]) -> str:
    """A file that differs in its ending alone."""
    stem = os.path.splitext(path)[0]
    for other in present:
        if os.path.splitext(other)[0] == stem:
            return f'; but there is {other!r}, see seg_map_suffix'
    return ''


def _sample(
    pairs: list[tuple[str, str]], labels: Labels, found: Findings
) -> None:
    """Opens some label maps; more, if they have one class alone."""
    pixels: Counter[int] = Counter()
    looked = spread(pairs, FIRST_MAPS)
    for image, path in looked:
        pixels += read_map(path, image, labels, found)
    if doubtful(pixels, labels):
        for image, path in spread(pairs, MORE_MAPS):
            pixels += read_map(path, image, labels, found, quiet=True)
            if not doubtful(pixels, labels):
                break
    check_seen(pixels, labels, looked[0][1] if looked else '', found)


def suspicious(pixels: Counter[int], labels: Labels) -> bool:
    """Whether values are ignored and no more than one class occurs."""
    seen = {c for c in labels.classes_of(list(pixels)).values()}
    classes = {c for c in seen if 0 <= c < labels.classes}
    return (
        bool(pixels)
        and labels.classes > 1
        and len(classes - {labels.ignored}) <= 1
        and labels.ignored in seen
    )


def left_out(pixels: Counter[int], labels: Labels) -> int | None:
    """The one class that never occurs while the ignored label does.

    Of three classes in maps of 0, 1 and 255 the third may be what 255 means.
    """
    never = {*range(labels.classes)} - {*labels.classes_of([*pixels]).values()}
    if labels.ignored not in pixels or len(never) != 1:
        return None
    return never.pop()


def doubtful(pixels: Counter[int], labels: Labels) -> bool:
    """Whether more maps should be seen before anything is said."""
    one = left_out(pixels, labels) is not None
    return one or suspicious(pixels, labels)


def check_seen(
    pixels: Counter[int], labels: Labels, path: str, found: Findings
) -> None:
    """Checks that the values of many label maps are those of classes."""
    if not suspicious(pixels, labels):
        never_seen = left_out(pixels, labels)
        if never_seen is not None:
            names = [*labels.names, *['no name'] * labels.classes]
            found.warn(
                'a class of no label map',
                f'class {never_seen} ({names[never_seen]}) '
                f'never occurs in label maps such as {path!r}, but '
                f'{labels.ignored}, the ignored label, does; was it meant?',
            )
        return
    new = labels.classes_of(list(pixels))
    ignored = sorted(v for v, c in new.items() if c == labels.ignored)
    classes = sorted(c for c in set(new.values()) if c != labels.ignored)
    never = [
        str(name) for i, name in enumerate(labels.names) if i not in classes
    ]
    first = int(labels.reduce_zero)
    found.error(
        'values of label maps',
        f'label maps such as {path!r} have the values '
        f'{", ".join(map(str, sorted(pixels)))}, and '
        f'{", ".join(map(str, ignored))} is the ignored label: class '
        f'{brief(never)} never occurs. Wanted values from {first} to '
        f'{labels.classes - 1 + first}, one for each class',
    )


def read_map(
    path: str,
    image: str,
    labels: Labels,
    found: Findings,
    quiet: bool = False,
) -> Counter[int]:
    """Opens a label map and checks it.

    Args:
        path: The label map.
        image: Its picture.
        labels: How it is read.
        found: Gets what is wrong.
        quiet: Only count.

    Returns:
        Pixels by value.
    """
    from PIL import Image

    try:
        check_plain(path)
        with Image.open(path) as file:
            mode, size = file.mode, file.size
            values = np.asarray(file)
    except Exception as error:
        if not quiet:
            found.error(
                'broken label map',
                f'label map {path!r} cannot be read: {error_text(error)}',
            )
        return Counter()
    if mode not in ONE_NUMBER or values.ndim != 2:
        if not quiet:
            found.error(
                'colours',
                f'label map {path!r} has colours (mode {mode}); wanted one '
                f'number for each pixel, that of its class',
            )
        return Counter()
    if values.dtype.kind == 'f' and not np.all(values == values.round()):
        if not quiet:
            found.error(
                'values of label maps',
                f'label map {path!r} has fractions; wanted whole numbers',
            )
        return Counter()
    if values.dtype == np.uint8 or values.dtype == bool:
        bins = np.bincount(values.reshape(-1).astype(np.uint8), minlength=256)
        pixels = Counter({int(v): int(bins[v]) for v in np.flatnonzero(bins)})
    else:
        numbers, many = np.unique(values, return_counts=True)
        pixels = Counter(dict(zip(map(int, numbers), map(int, many))))
    if not quiet:
        _check_values(path, pixels, labels, found)
        _check_size(path, size, image, labels.turns, found)
    return pixels


def _check_values(
    path: str, pixels: Counter[int], labels: Labels, found: Findings
) -> None:
    wide = [v for v in pixels if not 0 <= v <= 255]
    if wide:
        found.error(
            'wide labels',
            f'label map {path!r}: label {", ".join(map(str, wide[:5]))}, of '
            f'more than 8 bits, would be cut to {wide[0] % 256}; wanted '
            f'numbers from 0 to {labels.classes - 1}',
        )
        return
    strange = [
        value
        for value, new in labels.classes_of(list(pixels)).items()
        if new >= labels.classes and new != labels.ignored
    ]
    if strange:
        first = int(labels.reduce_zero)
        found.error(
            'label of no class',
            f'seg_map_path={path!r}: label '
            f'{", ".join(map(str, strange[:8]))} in the file; the model has '
            f'{labels.classes} classes, {first} to '
            f'{labels.classes - 1 + first}. Correct the file, or set '
            f'num_classes of the heads',
        )


def _check_size(
    path: str,
    size: tuple[int, int],
    image: str,
    turns: bool,
    found: Findings,
) -> None:
    try:
        own, turned, _ = read_header(image, turns)
    except OSError as error:
        if image.lower().endswith(ENDINGS):
            found.error(
                'broken picture',
                f'{image!r} cannot be read: {error_text(error)}',
            )
        else:
            debug(f'{image!r}: of a kind that Pillow does not know')
        return
    if own != size:
        why = ' (its EXIF tag turns it)' if turned else ''
        found.error(
            'size of label maps',
            f'label map {path!r} is {size[0]} x {size[1]}, but its picture '
            f'{image!r} is {own[0]} x {own[1]}{why}; wanted the same',
        )
