"""What the numbers in label maps mean, and which of them occur."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..errors import check_plain
from .findings import Findings
from .pictures import brief, error_text

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
        reader: What decodes label maps, 'pillow' or 'cv2'.
    """

    classes: int
    names: Sequence[str]
    ignored: int
    reduce_zero: bool
    table: dict[int, int] | None
    turns: bool = True
    reader: str = 'pillow'

    def classes_of(self, values: Sequence[int]) -> dict[int, int]:
        """Class, as the model gets it, of each number in a file."""
        done = {}
        for value in values:
            new = value
            if self.reduce_zero:
                new = 255 if value in (0, 255) else value - 1
            done[value] = (self.table or {}).get(new, new)
        return done

    def seen(self, pixels: Counter[int]) -> set[int]:
        """The classes that occur."""
        found = {*self.classes_of([*pixels]).values()} - {self.ignored}
        return {c for c in found if 0 <= c < self.classes}

    def never(self, pixels: Counter[int]) -> list[int]:
        """The classes that do not occur."""
        return sorted({*range(self.classes)} - self.seen(pixels))

    def one_at_most(self, pixels: Counter[int]) -> bool:
        """Whether values are ignored and no more than one class occurs."""
        ignored = self.ignored in self.classes_of([*pixels]).values()
        one = len(self.seen(pixels)) <= 1
        return bool(pixels) and self.classes > 1 and ignored and one

    def doubtful(self, pixels: Counter[int]) -> bool:
        """Whether the ignored label may stand for a class.

        Of three classes in maps of 0, 1 and 255 the third may be what 255
        means.
        """
        one_lacks = len(self.never(pixels)) == 1 and self.ignored in pixels
        return one_lacks or self.one_at_most(pixels)


def check_seen(
    pixels: Counter[int], labels: Labels, path: str, found: Findings
) -> None:
    """Checks that the values of many label maps are those of classes.

    Args:
        pixels: Of all of them, by value.
        labels: How they are read.
        path: One of them.
        found: Gets what is wrong.
    """
    if not labels.doubtful(pixels):
        return
    names = [*map(str, labels.names), *['no name'] * labels.classes]
    never = [f'{i} ({names[i]})' for i in labels.never(pixels)]
    lacks = (
        f'class {never[0]} never occurs'
        if len(never) == 1
        else f'classes {brief(never)} never occur'
    )
    if not labels.one_at_most(pixels):
        found.warn(
            'a class of no label map',
            f'{lacks} in label maps such as {path!r}, but {labels.ignored}, '
            f'the ignored label, does; was it meant?',
        )
        return
    new = labels.classes_of(list(pixels))
    ignored = sorted(v for v, c in new.items() if c == labels.ignored)
    first = int(labels.reduce_zero)
    found.error(
        'values of label maps',
        f'label maps such as {path!r} have the values '
        f'{brief(map(str, sorted(pixels)), 8)}, and '
        f'{brief(map(str, ignored))} '
        f'{"is" if len(ignored) == 1 else "are"} ignored: {lacks}. Wanted '
        f'values from {first} to {labels.classes - 1 + first}, one for each '
        f'class',
    )


def read_map(path: str, labels: Labels, found: Findings) -> Counter[int]:
    """Opens a label map and checks it.

    Args:
        path: The label map.
        labels: How it is read.
        found: Gets what is wrong.

    Returns:
        Pixels by value; none if it cannot be read.
    """
    try:
        check_plain(path)
        mode, values = _decoded(path, labels.reader)
    except Exception as error:
        found.error(
            'broken label map',
            f'label map {path!r} cannot be read: {error_text(error)}',
        )
        return Counter()
    if mode not in ONE_NUMBER or values.ndim != 2:
        found.error(
            'colours',
            f'label map {path!r} has colours (mode {mode}); wanted one '
            f'number for each pixel, that of its class',
        )
        return Counter()
    if values.dtype.kind == 'f' and not np.all(values == values.round()):
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
    _check_values(path, pixels, labels, found)
    return pixels


def _decoded(path: str, reader: str) -> tuple[str, np.ndarray]:
    """Mode and values of a file, as the pipeline decodes it."""
    if reader == 'cv2':
        import cv2

        values = cv2.imread(path, cv2.IMREAD_UNCHANGED)
        if values is None:
            raise OSError('OpenCV cannot decode it')
        return 'L' if values.ndim == 2 else 'of OpenCV', values
    from PIL import Image

    with Image.open(path) as file:
        return file.mode, np.asarray(file)


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
