"""For mmaction2: videos by torchcodec, PyAV, decord or OpenCV.

decord has had no release since 2021 and no wheels but for x86-64. All readers
speak as decord's ``VideoReader`` does, so that ``DecordDecode`` of mmaction2
takes frames from any of them, and frames are numbered in the order in which
they are shown.
"""

import io
import logging
import os
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any

import cv2
import numpy as np
from mmaction.datasets.transforms import DecordInit as Init
from mmengine import fileio
from mmengine.fileio import FileClient
from mmengine.logging import print_log

from ...errors import UserError
from ...registry import TRANSFORMS

# By the module that they need, the best one first.
MODULES = {
    'torchcodec': 'torchcodec',
    'pyav': 'av',
    'decord': 'decord',
    'opencv': 'cv2',
}
# Of these torchcodec makes the same bytes as the other readers.
EIGHT_BITS = 'yuv420p', 'yuvj420p', 'yuv422p', 'yuv444p'


@cache
def installed() -> tuple[str, ...]:
    """The readers that are there and load, the best one first.

    torchcodec loads only beside the PyTorch that it was built for, and where
    FFmpeg is installed.
    """
    names = [name for name, need in MODULES.items() if find_spec(need)]
    if 'torchcodec' in names:
        try:
            import torchcodec.decoders  # noqa: F401
        except (ImportError, OSError, RuntimeError) as error:
            first = str(error).strip().splitlines()[:1]
            print_log(
                f'torchcodec is installed, but does not load: {first}',
                logger='current',
                level=logging.DEBUG,
            )
            names.remove('torchcodec')
    return tuple(names)


class Frames:
    """Frames (N, H, W, 3) in RGB, with the method that decord's have.

    Args:
        frames: N arrays.
    """

    def __init__(self, frames: Sequence[np.ndarray]) -> None:
        self.frames = frames

    def asnumpy(self) -> np.ndarray:
        """One array."""
        return np.stack(self.frames)


def numbers_of(indices: Sequence[int], count: int) -> list[int]:
    """Numbers of frames.

    Raises:
        IndexError: One is not of so many.
    """
    numbers = [int(i) for i in np.asarray(indices).ravel()]
    if min(numbers) < 0 or max(numbers) >= count:
        raise IndexError(f'frames {min(numbers)} to {max(numbers)} of {count}')
    return numbers


def has_no_index(file: Any) -> bool:
    """Whether a video is an MPEG transport or program stream.

    Args:
        file: Path, or the content as a file object.
    """
    if isinstance(file, str):
        with open(file, 'rb') as opened:
            head = opened.read(200)
    else:
        head = file.getbuffer()[:200].tobytes()
    packets = (head[:1] == head[188:189], head[4:5] == head[196:197])
    transport = (head[:1] == b'G' and packets[0]) or (
        head[4:5] == b'G' and packets[1]
    )
    return transport or head[:4] == b'\x00\x00\x01\xba'


class TorchReader:
    """A video file, read by torchcodec.

    PyAV reads what torchcodec 0.11 reads otherwise than the other readers:
    streams without an index, in which it seeks to wrong frames, and more
    than 8 bits, which it rounds otherwise; and damaged frames, to name them.

    Args:
        file: Path, or the content as a file object.

    Raises:
        ValueError: PyAV is needed and not there, or cannot read it.
    """

    def __init__(self, file: Any) -> None:
        from torchcodec.decoders import VideoDecoder

        self.file = file
        self.other: AvReader | None = None
        if has_no_index(file):
            self.use_other('a stream without an index')
            return
        try:
            self.decoder = VideoDecoder(
                file, dimension_order='NHWC', num_ffmpeg_threads=1
            )
        except (RuntimeError, ValueError) as error:
            self.use_other(str(error))
            return
        pixels = self.decoder.metadata.pixel_format
        if pixels not in EIGHT_BITS:
            self.use_other(f'pixels are {pixels}')

    def use_other(self, reason: str) -> None:
        """Has PyAV read the file from now on."""
        if not find_spec('av'):
            first = reason.strip().split('\n')[0]
            raise ValueError(f'torchcodec: {first}; pip install av reads it')
        self.other = AvReader(self.file)

    def __len__(self) -> int:
        return len(self.other or self.decoder)

    def get_avg_fps(self) -> float:
        """Frames per second."""
        if self.other:
            return self.other.get_avg_fps()
        return float(self.decoder.metadata.average_fps or 0)

    def get_batch(self, indices: Sequence[int]) -> Frames:
        """Frames by their numbers.

        Raises:
            IndexError: There is no such frame.
            ValueError: One cannot be decoded.
        """
        numbers = numbers_of(indices, len(self))
        if not self.other:
            try:
                found = self.decoder.get_frames_at(numbers).data.numpy()
                return Frames(list(found))
            except (RuntimeError, ValueError) as error:
                self.use_other(str(error))
        assert self.other
        return self.other.get_batch(numbers)


class AvReader:
    """A video file, read by PyAV.

    Its packets are read once to number the frames. Frames are decoded from
    the key frame before the first one that is wanted; those that are neither
    wanted nor referred to by others are left out.

    Args:
        file: Path, or the content as a file object.
    """

    def __init__(self, file: Any) -> None:
        self.file = file
        self.open()
        times, keys = [], []
        for packet in self.container.demux(self.stream):
            if packet.pts is None or packet.is_discard:
                continue
            times.append(packet.pts)
            if packet.is_keyframe:
                keys.append(packet.pts)
        self.times = sorted(times)
        self.keys = sorted(keys)
        if not self.times:
            raise ValueError('it has no frames that have a time')

    def open(self) -> None:
        """Opens the file, from its start."""
        import av

        if not isinstance(self.file, str):
            self.file.seek(0)
        self.container = av.open(self.file)
        if not self.container.streams.video:
            raise ValueError('it has no pictures')
        self.stream = self.container.streams.video[0]
        self.stream.codec_context.thread_count = 1
        # Frames share one by themselves, whose threads a fork lacks.
        self.scaler = av.video.reformatter.VideoReformatter()

    def __len__(self) -> int:
        return len(self.times)

    def get_avg_fps(self) -> float:
        """Frames per second."""
        rate = self.stream.average_rate
        return float(rate) if rate else 0.0

    def get_batch(self, indices: Sequence[int]) -> Frames:
        """Frames by their numbers.

        Raises:
            IndexError: There is no such frame.
            ValueError: One cannot be decoded.
        """
        indices = numbers_of(indices, len(self))
        wanted = {self.times[i] for i in indices}
        start = max((k for k in self.keys if k <= min(wanted)), default=0)
        self.container.seek(start, stream=self.stream)
        self.stream.codec_context.flush_buffers()
        found = self.decode(wanted)
        if len(found) < len(wanted):  # containers that do not seek well
            self.open()
            found = self.decode(wanted)
        if lost := sorted(wanted - set(found)):
            number = self.times.index(lost[0])
            raise ValueError(f'frame {number} of {len(self)} is damaged')
        return Frames([found[self.times[i]] for i in indices])

    def decode(self, wanted: set[int]) -> dict[int, np.ndarray]:
        """Frames by their times, as far as they can be decoded from here."""
        context = self.stream.codec_context
        found: dict[int, np.ndarray] = {}
        for packet in self.container.demux(self.stream):
            # Decoders leave out what no other frame refers to.
            seen = packet.pts is None or packet.pts in wanted
            context.skip_frame = 'DEFAULT' if seen else 'NONREF'
            for frame in packet.decode():
                if frame.pts in wanted and frame.pts not in found:
                    found[frame.pts] = upright(self.scaler, frame)
            if len(found) == len(wanted):
                break
        return found


def upright(scaler: Any, frame: Any) -> np.ndarray:
    """A frame of PyAV (H, W, 3) in RGB, as a telephone means it."""
    try:
        pixels = scaler.reformat(frame, format='rgb24', threads=1)
    except TypeError:  # older, without threads
        pixels = scaler.reformat(frame, format='rgb24')
    pixels = pixels.to_ndarray()
    turns = round(getattr(frame, 'rotation', 0) / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels


class CvReader:
    """A video file, read by OpenCV from front to back.

    Args:
        path: Of the file.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        capture = cv2.VideoCapture(path)
        if not capture.isOpened():
            raise ValueError('OpenCV cannot open it')
        # Versions differ in whether they turn frames by themselves.
        self.turns = round(capture.get(cv2.CAP_PROP_ORIENTATION_META) / 90)
        self.rate = capture.get(cv2.CAP_PROP_FPS)
        self.count = 0
        while capture.grab():  # containers are often wrong about it
            self.count += 1
        if not self.count:
            raise ValueError('it has no frames')

    def __len__(self) -> int:
        return self.count

    def get_avg_fps(self) -> float:
        """Frames per second."""
        return float(self.rate)

    def get_batch(self, indices: Sequence[int]) -> Frames:
        """Frames by their numbers.

        Raises:
            ValueError: One cannot be decoded.
        """
        indices = [int(i) for i in np.asarray(indices).ravel()]
        wanted, found = set(indices), {}
        capture = cv2.VideoCapture(self.path)
        capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
        for number in range(max(indices) + 1):
            if not capture.grab():
                break
            if number in wanted:
                good, frame = capture.retrieve()
                if good:
                    frame = np.rot90(frame, -self.turns)
                    found[number] = np.ascontiguousarray(frame[..., ::-1])
        if lost := sorted(wanted - set(found)):
            raise ValueError(f'frame {lost[0]} of {len(self)} is damaged')
        return Frames([found[i] for i in indices])


@TRANSFORMS.register_module()
class DecordInit(Init):
    """mmaction2's transform of this name, by any reader.

    Args:
        reader: 'auto' for the best that is there, or 'torchcodec', 'pyav',
            'decord', 'opencv'.
        kwargs: As of the base class.

    Raises:
        UserError: There is no such reader, or it is not installed.
    """

    file_client: Any

    def __init__(self, reader: str = 'auto', **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if reader == 'auto':
            reader = installed()[0]
        if reader not in MODULES:
            raise UserError(
                f"reader={reader!r}: wanted 'auto' or one of {tuple(MODULES)}"
            )
        if reader not in installed():
            raise UserError(
                f'reader={reader!r}: not installed; pip install '
                f'{MODULES[reader]}, or one of {installed()}'
            )
        self.reader = reader

    def _get_video_reader(self, filename: str) -> Any:
        remote = '://' in filename  # in a tar file, or elsewhere
        if not remote and not os.path.splitext(filename)[1]:
            if not os.path.exists(filename):
                filename += '.mp4'  # as the base class
        path: Any = filename
        if remote:
            path = io.BytesIO(fileio.get(filename))
        elif self.io_backend != 'disk':
            if self.file_client is None:
                self.file_client = FileClient(self.io_backend, **self.kwargs)
            path = io.BytesIO(self.file_client.get(filename))
        if self.reader == 'decord':
            import decord

            return decord.VideoReader(path, num_threads=self.num_threads)
        if self.reader == 'opencv' and path is not filename:
            raise UserError(
                f"reader='opencv': reads files alone, not {filename!r} by "
                f'io_backend={self.io_backend!r}; wanted another reader'
            )
        kinds = dict(torchcodec=TorchReader, pyav=AvReader, opencv=CvReader)
        return kinds[self.reader](path)
