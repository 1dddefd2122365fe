"""What a data set holds, as far as checks learn it."""

from collections.abc import Sequence
from typing import Any, NamedTuple


class Task(NamedTuple):
    """A file to open when all samples are checked.

    Attributes:
        kind: 'picture', 'labels', 'video' or 'frames'.
        path: The file, or the folder of frames.
        extra: What must agree with it: (width, height, turned by EXIF or
            not) of a picture, or whatever the kind needs.
    """

    kind: str
    path: str
    extra: Any = None


class Data(NamedTuple):
    """What a data set holds.

    Attributes:
        length: Samples; None where nobody knows.
        classes: Names of its classes, if it knows them.
        counts: Samples, objects or pixels by class.
        tasks: Files to open when all samples are checked.
        boxes: (width, height) of its objects.
        lengths: Frames of its clips, where lists say so.
        pictures: File names by image id, of COCO's files.
        order: Names of the classes as the data set numbers them, where
            that is not by ``classes``.
    """

    length: int | None = None
    classes: Sequence[str] | None = None
    counts: dict[str, int] = {}
    tasks: Sequence[Task] = ()
    boxes: Sequence[tuple[float, float]] = ()
    lengths: Sequence[int] = ()
    pictures: dict[Any, str] = {}
    order: Sequence[str] | None = None
