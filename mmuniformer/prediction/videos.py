"""Videos of any length, frame by frame, in constant memory."""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np

from .clips import Recognition
from .sources import Source
from .tasks import Job

# Where a container does not tell.
FRAMES_PER_SECOND = 25.0
# Share of the frames that a container speaks of and that must be there.
COMPLETE = 0.9


class Video:
    """A video file or a camera that is read once, from front to back.

    Args:
        source: What to open.
    """

    def __init__(self, source: Source) -> None:
        camera = source.kind == 'camera'
        self.capture: Any = cv2.VideoCapture(
            int(source.path) if camera else source.path
        )
        rate = self.capture.get(cv2.CAP_PROP_FPS)
        self.rate = rate if 0 < rate < 1000 else FRAMES_PER_SECOND
        count = self.capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.total = 0 if camera else max(int(count), 0)
        self.read = 0

    def next(self, wanted: bool = True) -> np.ndarray | None | bool:
        """The next frame (H, W, 3) in BGR, or True for one not wanted.

        Returns:
            None at the end.
        """
        if not wanted:
            if not self.capture.grab():
                return None
            self.read += 1
            return True
        good, frame = self.capture.read()
        self.read += good
        return frame if good else None

    def error(self) -> str:
        """What was wrong with it, at its end."""
        self.capture.release()
        if not self.read:
            return 'no frame of it can be read'
        if self.read < COMPLETE * self.total:
            return f'it ends after {self.read} of {self.total} frames'
        return ''


def count(source: Source, stride: int, every: float) -> int:
    """About how many jobs there are in a video."""
    video = Video(source)
    video.capture.release()
    step = max(round(every * video.rate), 1) if every else stride
    return max(-(-video.total // step), 1)


def frames(source: Source, stride: int) -> Iterator[Job]:
    """Every so many frames of a video, one job each."""
    video = Video(source)
    number = 0
    while True:
        frame = video.next(number % stride == 0)
        if frame is None:
            break
        if frame is not True:
            start = number / video.rate
            span = start, start + stride / video.rate
            yield Job(0, source, frame, number, span)  # type: ignore[arg-type]
        number += 1
    if error := video.error():
        yield Job(0, source._replace(error=error))


def windows(source: Source, task: Recognition, every: float) -> Iterator[Job]:
    """Periods of a video, one job each, with the frames that are looked at.

    A clip lies in the middle of its period. It may reach beyond it, but not
    beyond the video.

    Args:
        source: The video.
        task: Says how many frames a clip reaches over.
        every: Length of a period in seconds.
    """
    video = Video(source)
    step = max(round(every * video.rate), 1)
    total = max(task.span(), step)
    if 0 < video.total < total:
        total = video.total
    offsets = task.offsets(total)
    kept: dict[int, np.ndarray] = {}
    period = 0
    number = 0
    while True:
        first = first_frame(period, step, total, video.total)
        ahead = range(period, period + 2 + total // step)
        starts = [first_frame(p, step, total, video.total) for p in ahead]
        wanted = any(number - start in offsets for start in starts)
        frame = video.next(wanted)
        if frame is None:
            break
        if frame is not True:
            kept[number] = cv2.cvtColor(np.asarray(frame), cv2.COLOR_BGR2RGB)
        number += 1
        while number >= first + total:
            job = window(source, kept, first, total)
            yield job._replace(span=span(video, period, step, video.total))
            period += 1
            first = first_frame(period, step, total, video.total)
            oldest = min(first, number - total)
            kept = {n: f for n, f in kept.items() if n >= oldest}
            if period * step >= number:  # it has not begun
                break
    # The last periods, whose clips the end cuts short.
    while period * step < number:
        first = first_frame(period, step, total, video.total)
        first = min(first, max(number - total, 0))
        job = window(source, kept, first, number - first)
        yield job._replace(span=span(video, period, step, number))
        period += 1
    if error := video.error():
        yield Job(0, source._replace(error=error))


def first_frame(period: int, step: int, total: int, length: int) -> int:
    """First frame of the clip of a period.

    Args:
        period: Its number.
        step: Frames of a period.
        total: Frames around its middle.
        length: Frames of the video; 0 if nobody knows.
    """
    middle = period * step + step // 2 - total // 2
    return max(min(middle, length - total) if length else middle, 0)


def span(
    video: Video, period: int, step: int, length: int
) -> tuple[float, float]:
    """Start and end of a period in seconds, within the video if known."""
    end = (period + 1) * step
    if length:
        end = min(end, length)
    return period * step / video.rate, end / video.rate


def window(
    source: Source, kept: dict[int, np.ndarray], first: int, total: int
) -> Job:
    """A job of frames by their place in a window."""
    inside = {n - first: f for n, f in kept.items() if first <= n}
    return Job(0, source, frames=Nearest(inside), total=total)


class Nearest(dict[int, np.ndarray]):
    """Frames by number; the nearest one for a number that is not there.

    Of a clip that the end of a video cuts short other frames were kept than
    the shorter clip would take.
    """

    def __missing__(self, number: int) -> np.ndarray:
        return self[min(self, key=lambda other: abs(other - number))]
