"""For mmaction2: which frames of a video make a clip, by the recipes.

Dense sampling only: the other rule, one frame of each segment, is that of
mmaction2's ``UniformSample``.
"""

import random

import torch
from mmcv.transforms import BaseTransform

from ...registry import TRANSFORMS


@TRANSFORMS.register_module()
class DenseSample(BaseTransform):
    """Stretches the frames of a clip over its whole span.

    A span is ``clip_len * frame_interval`` frames; the first frame of a clip
    is at its start and the last one at its end. So the spacing is a little
    more than the interval, 4.2 for 16 frames at 4; that of mmaction2's
    ``SampleFrames`` is the interval itself. What would be behind the video
    repeats its last frame.

    Source: ``get_start_end_idx`` and ``decode`` of the official
    ``slowfast/datasets/decoder.py``.

    Args:
        clip_len: Frames of a clip.
        frame_interval: Share of a frame in the span, in frames of the video.
        num_clips: Clips of a video.
        test_mode: Clips at equal distances, from the first frame on, or one
            in the middle; otherwise anywhere.
    """

    def __init__(
        self,
        clip_len: int,
        frame_interval: int,
        num_clips: int = 1,
        test_mode: bool = False,
    ) -> None:
        self.clip_len = clip_len
        self.frame_interval = frame_interval
        self.num_clips = num_clips
        self.test_mode = test_mode

    def starts(self, room: int) -> list[float]:
        """First frame of each clip.

        Args:
            room: The last frame that a clip may start at.
        """
        if not self.test_mode:
            # Fractions count: they shift where the spacing is rounded.
            return [random.uniform(0, room) for _ in range(self.num_clips)]
        if self.num_clips == 1:
            return [room // 2]
        step = room // (self.num_clips - 1)
        return [step * clip for clip in range(self.num_clips)]

    def transform(self, results: dict) -> dict:
        """Adds ``frame_inds`` (num_clips * clip_len,), clip by clip.

        Needs ``total_frames`` and ``start_index``, the number of the first.
        """
        total = results['total_frames']
        span = self.clip_len * self.frame_interval
        clips = [
            torch.linspace(start, start + span - 1, self.clip_len)
            for start in self.starts(max(total - span, 0))
        ]
        indices = torch.cat(clips).clamp(0, total - 1).long()
        results['frame_inds'] = indices.numpy() + results['start_index']
        results['clip_len'] = self.clip_len
        results['frame_interval'] = self.frame_interval
        results['num_clips'] = self.num_clips
        return results
