"""Clips of videos: of files, of folders of frames, of what is in memory."""

import os
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from mmengine.config import Config
from mmengine.registry import TRANSFORMS, DefaultScope

from ..errors import LocalUserError
from .sources import PICTURES
from .tasks import Classification, Job

OPEN = ('DecordInit', 'PyAVInit', 'OpenCVInit', 'PIMSInit')
DECODE = (
    'DecordDecode',
    'PyAVDecode',
    'OpenCVDecode',
    'PIMSDecode',
    'RawFrameDecode',
)


class Recognition(Classification):
    """What happens in a clip.

    The pipeline of the config has three parts: which frames, reading them,
    and making a clip of them. The second one depends on where they are.

    Args:
        cfg: As of :class:`Task`.
        meta: As of :class:`Task`.
        every: Seconds between the labels of a video; 0 for one label. These
            are by one view, as in validation; the one label is by the
            published views.
        kwargs: As of :class:`Task`.
    """

    clips = True

    def __init__(
        self,
        cfg: Config,
        meta: dict[str, Any],
        every: float = 0,
        **kwargs: Any,
    ) -> None:
        self.every = every
        self.loader_name = 'val_dataloader' if every else 'test_dataloader'
        super().__init__(cfg, meta, **kwargs)
        names = [type(t).__name__ for t in self.transforms]
        at = next(i for i, name in enumerate(names) if name in DECODE)
        self.open = [t for t, n in zip(self.transforms, names) if n in OPEN]
        self.sample = [
            t
            for t, name in zip(self.transforms[:at], names)
            if name not in OPEN
        ]
        self.rest = self.transforms[at + 1 :]
        self.decode = [self.transforms[at]]
        if not self.open:  # it reads frames
            with DefaultScope.overwrite_default_scope(self.scope):
                self.open = [TRANSFORMS.build(dict(type='DecordInit'))]
                self.decode = [TRANSFORMS.build(dict(type='DecordDecode'))]

    def span(self) -> int:
        """Frames that a clip reaches over; 0 if all that there are."""
        for transform in self.sample:
            if hasattr(transform, 'frame_interval'):
                return transform.clip_len * transform.frame_interval
        return 0

    def offsets(self, total: int) -> list[int]:
        """Which of so many frames are looked at."""
        results = self.sampled(dict(total_frames=total))
        return sorted(set(results['frame_inds'].ravel().tolist()))

    def sampled(self, results: dict[str, Any]) -> dict[str, Any]:
        """Which frames of a video make its clips."""
        results.update(start_index=0, modality='RGB')
        return run(self.sample, results)

    def prepare(self, job: Job) -> list[dict[str, Any]]:
        """All views of a clip."""
        if job.frames is not None:
            results = self.sampled(dict(total_frames=job.total))
            indices = results['frame_inds'].ravel()
            frames = [job.frames[int(index)] for index in indices]
        elif job.source.kind == 'frames':
            return [self.from_folder(job.source.path)]
        else:
            return [self.from_file(job.source.path)]
        return [self.packed(results, frames)]

    def from_file(self, path: str) -> dict[str, Any]:
        """Views of a video file."""
        if not os.path.getsize(path):
            raise LocalUserError('an empty file')
        results = run(
            self.open, dict(filename=path, start_index=0, modality='RGB')
        )
        results = run(self.decode, self.sampled(results))
        return run(self.rest, results)

    def from_folder(self, folder: str) -> dict[str, Any]:
        """Views of a folder of frames, in the order of their names."""
        names = sorted(
            n
            for n in os.listdir(folder)
            if n.lower().endswith(PICTURES) and not n.startswith('.')
        )
        results = self.sampled(dict(total_frames=len(names)))
        read = {
            index: read_rgb(os.path.join(folder, names[index]))
            for index in set(results['frame_inds'].ravel().tolist())
        }
        frames = [read[i] for i in results['frame_inds'].ravel().tolist()]
        return self.packed(results, frames)

    def packed(
        self, results: dict[str, Any], frames: Sequence[np.ndarray]
    ) -> dict[str, Any]:
        """What the network takes of frames (H, W, 3) in RGB."""
        shapes = {frame.shape[:2] for frame in frames}
        if len(shapes) > 1:
            raise LocalUserError('its frames differ in size')
        shape = shapes.pop()
        results.update(
            imgs=list(frames), original_shape=shape, img_shape=shape
        )
        return run(self.rest, results)


def run(transforms: Sequence[Any], results: dict[str, Any]) -> dict[str, Any]:
    """Applies transforms one after the other."""
    for transform in transforms:
        results = transform(results)
    return results


def read_rgb(path: str) -> np.ndarray:
    """Reads a frame (H, W, 3) as mmaction2 does.

    Raises:
        LocalUserError: It cannot be read.
    """
    frame = cv2.imread(path)
    if frame is None:
        raise LocalUserError(f'its frame {path} cannot be read')
    return cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
