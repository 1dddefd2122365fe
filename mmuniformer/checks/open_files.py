"""Opens pictures, label maps, videos and frames to see that they can be."""

import os
from collections import Counter
from typing import Any, NamedTuple

import cv2

from ..errors import check_plain
from . import label_maps, tar_data
from .coco_files import check_header
from .findings import Findings
from .pictures import ENDINGS, error_text, read_header
from .samples import Task

# Frames that a container may announce and not have.
LOST = 2


class Opened(NamedTuple):
    """What came out of some files.

    Attributes:
        found: What is wrong with them.
        pixels: Of label maps, by value.
        lengths: Frames of videos.
        files: How many there were.
    """

    found: Findings
    pixels: Counter[int]
    lengths: list[int]
    files: int


def open_all(tasks: list[Task], fast: bool) -> Opened:
    """Opens files.

    Args:
        tasks: What to open.
        fast: Read headers alone, and of a video the first frame.
    """
    cv2.setNumThreads(0)
    found = Findings(keep=50)
    pixels: Counter[int] = Counter()
    lengths = []
    for one in tasks:
        with tar_data.unpacked(one, found) as (task, own):
            if task.kind == 'picture':
                check_picture(task.path, task.extra, own, fast)
            elif task.kind == 'labels':
                image, labels = task.extra
                pixels += label_maps.check_pair(task.path, image, labels, own)
                check_picture(image, None, own, fast)
            elif task.kind == 'video':
                lengths.append(check_video(task.path, own, fast))
            else:
                check_frames(task.path, task.extra, own, fast)
    return Opened(found, pixels, lengths, len(tasks))


def check_picture(path: str, extra: Any, found: Findings, fast: bool) -> None:
    """Checks that a picture can be decoded and has the size it should."""
    from PIL import Image

    if not os.path.lexists(path):
        return  # said with the list
    if extra:
        check_header(path, extra[:2], found, extra[2])
    try:
        check_plain(path)
        if not path.lower().endswith(ENDINGS):
            if cv2.imread(path, cv2.IMREAD_UNCHANGED) is None:
                raise OSError('OpenCV cannot decode it')
        elif fast:
            read_header(path)
        else:
            with Image.open(path) as image:
                image.load()
    except Exception as error:
        found.error(
            'broken picture', f'{path!r} cannot be read: {error_text(error)}'
        )


def check_video(path: str, found: Findings, fast: bool) -> int:
    """Checks that a video can be decoded to its end; returns its frames."""
    if not os.path.lexists(path):
        return 0
    if not os.path.isfile(path):
        link = ', but a link to nothing' if os.path.islink(path) else ''
        found.error('broken video', f'{path!r} is no file{link}')
        return 0
    video = cv2.VideoCapture(path)
    said = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    count = 0
    while video.grab():
        count += 1
        if fast:
            break
    video.release()
    if not count:
        found.error(
            'broken video',
            f'{path!r}, {os.path.getsize(path)} bytes, cannot be read',
        )
    elif not fast and count < said - LOST:
        found.error(
            'cut-off video',
            f'{path!r} ends after {count} of {said} frames',
        )
    return max(said, 0) if fast else count


def check_frames(folder: str, extra: Any, found: Findings, fast: bool) -> None:
    """Checks that a folder has its frames, all of one size."""
    count, template, start = extra
    if not os.path.exists(folder):
        return  # said with the list
    if not os.path.isdir(folder):
        found.error('missing frames', f'{folder!r} is no folder of frames')
        return
    names = [template.format(i) for i in range(start, start + count)]
    present = set(os.listdir(folder))
    missing = [name for name in names if name not in present]
    if missing:
        found.error(
            'missing frames',
            f'{len(missing)} of {count} frames in {folder!r} do not exist, '
            f'such as {missing[0]!r}',
        )
    more = template.format(start + count)
    if not missing and more in present:
        found.warn(
            'more frames', f'{folder!r} has more than the {count} of the list'
        )
    sizes = set()
    for name in names:
        if name in present:
            path = os.path.join(folder, name)
            check_picture(path, None, found, fast)
            try:
                sizes.add(read_header(path)[0])
            except OSError:
                continue
    if len(sizes) > 1:
        found.error(
            'sizes of frames',
            f'frames in {folder!r} are of {len(sizes)} sizes; wanted one',
        )
