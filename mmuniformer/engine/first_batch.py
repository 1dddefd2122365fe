"""What a library says of the first batch: a line, not a traceback.

It is the data and the model of a config that do not fit then; nothing has
been done that could be lost. The traceback is kept in the log file.
"""

import logging
import os
import re
import traceback
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from mmengine.logging import MMLogger
from mmengine.runner import BaseLoop, TestLoop, ValLoop
from torch import nn

from ..tasks import HOSTS

OURS = str(Path(__file__).parents[1])
# Their errors, while something is built from a config, are of the config.
BUILDERS = ('mmengine', 'mmcv', 'torch', 'torchvision', *HOSTS)
# Besides the standard library; errors in other code are bugs of that.
LIBRARIES = (*BUILDERS, 'numpy', 'cv2', 'PIL', 'pycocotools')
FILE = re.compile(r'File "(.+?)", line \d+, in (\w+)')
SIZES = re.compile(
    r'expects each tensor to be equal size|storage that is not resizable'
    r'|size in a batch should be the same'
)
CHANNELS = re.compile(
    r'to have \d+ channels, but got \d+|size of tensor \w+ \(\d+\) must match'
    r'|of `?\w*DataPreprocessor`? should be|number of channels'
)
HINTS = (
    (
        SIZES,
        'the pictures of a batch differ in size or channels: wanted a Resize '
        'or a crop of one size in the pipeline, or batch_size=1',
    ),
    (
        CHANNELS,
        'wanted as many channels in the pictures (color_type of their '
        'loader), in mean and std of model.data_preprocessor and in '
        'model.backbone.in_channels',
    ),
)


class Place(NamedTuple):
    """A line of a traceback.

    Attributes:
        file: Path of the code.
        function: Its name.
        owner: What ``self`` is there, if that is known.
    """

    file: str
    function: str
    owner: Any = None


def fault(error: BaseException) -> str | None:
    """What is wrong with the first batch, or None if that is not it.

    Args:
        error: What ended a tool.
    """
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    loops = [i for i, f in enumerate(frames) if isinstance(_self(f), BaseLoop)]
    if not loops or not _is_first(frames[loops[-1]]):
        return None
    loop = _self(frames[loops[-1]])
    text = str(error.args[0] if error.args else error)
    places = [_place(frame) for frame in frames[loops[-1] + 1 :]]
    places += [Place(*found) for found in FILE.findall(text)]
    reason = reason_of(error, places, text)
    if reason is None:
        return None
    _keep(error)
    name = 'val' if isinstance(loop, ValLoop) else 'train'
    name = 'test' if isinstance(loop, TestLoop) else name
    return f'the first batch of {name} data: {reason}'


def reason_of(
    error: BaseException, places: list[Place], text: str
) -> str | None:
    """What a library says, and which part of the config; None of a bug.

    Args:
        error: What it has raised.
        places: Where it was, from the outside.
        text: Its message; that of a worker with its traceback.
    """
    packages = [_package(place.file) for place in places]
    known = [name for name in packages if name]
    if None in packages or not known or known[-1] not in LIBRARIES:
        return None
    owners = [
        type(place.owner).__name__
        for place in places
        if isinstance(place.owner, nn.Module)
        or (
            place.function in ('transform', '__call__')
            and place.owner is not None
        )
    ]
    where = f'{owners[-1]}: ' if owners else ''
    words = ' '.join(text.split()) or 'no reason'
    words = words.rpartition(f'{type(error).__name__}: ')[2]
    hint = next((f'; {h}' for pattern, h in HINTS if pattern.search(text)), '')
    return f'{where}{type(error).__name__}: {words:.300}{hint}'


def places_of(error: BaseException) -> list[Place]:
    """Where an error came from, from the outside."""
    return [
        _place(frame) for frame, _ in traceback.walk_tb(error.__traceback__)
    ]


def _place(frame: FrameType) -> Place:
    code = frame.f_code
    return Place(code.co_filename, code.co_name, _self(frame))


def _self(frame: FrameType) -> Any:
    return frame.f_locals.get('self')


def _is_first(frame: FrameType) -> bool:
    """Whether a loop has done nothing yet."""
    if isinstance(_self(frame), (ValLoop, TestLoop)):
        return frame.f_locals.get('idx', 0) == 0
    return getattr(_self(frame), 'iter', None) == 0


def _package(file: str) -> str | None:
    """The library of a file, '' for the standard one, None for others."""
    if file.startswith(OURS):
        return 'mmuniformer'
    parts = Path(file).parts
    for folder in ('site-packages', 'dist-packages'):
        if folder in parts:
            name = parts[parts.index(folder) + 1].partition('.')[0]
            return name if name in LIBRARIES else None
    standard = file.startswith((os.path.dirname(os.__file__), '<'))
    return '' if standard else None


def _keep(error: BaseException) -> None:
    """Writes the traceback to the log file."""
    record = logging.LogRecord(
        'mmengine', logging.ERROR, __file__, 0, 'the first batch', None,
        (type(error), error, error.__traceback__),
    )  # fmt: skip
    for handler in MMLogger.get_current_instance().handlers:
        if isinstance(handler, logging.FileHandler):
            handler.emit(record)
