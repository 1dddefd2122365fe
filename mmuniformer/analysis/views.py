"""What the tools that look inside a model share: inputs, overlays, files.

Legend: *S = (H, W) or (T, H, W).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from torch import Tensor
from torch.nn import functional as F

from ..prediction.predictor import Predictor
from ..prediction.tasks import Job
from ..weights.load import find_backbone
from . import charts
from .browse import FRAMES, undo

SIDE = 224  # pixels of the shorter side of an overlay, at least
FRAMES_PER_SECOND = 4


def first_input(predictor: Predictor, job: Job) -> tuple[Tensor, dict]:
    """What the network is given for a job.

    Args:
        predictor: The model.
        job: A picture; or a clip, of which the first view is taken; or
            people, of whom the first one is.

    Returns:
        A batch of one, (1, C, *S), normalised, and what the host's data
        preprocessor gave with it.
    """
    samples = predictor.task.prepare(job)[:1]
    model = predictor.model
    data = model.data_preprocessor(pseudo_collate(samples), False)
    x = data['inputs']
    backbone: Any = find_backbone(model)[1]
    views = x.ndim == backbone.ndim + 3
    return (x[:, 0] if views else x), data


def picture_of(predictor: Predictor, x: Tensor) -> np.ndarray:
    """An input (1, C, *S) as ([T,] H, W, 3) in RGB, bytes."""
    task: Any = predictor.task
    kinds = map(type, getattr(task, 'rest', ()))
    bgr = any(kind.__name__ == 'ReverseChannels' for kind in kinds)
    prepare = predictor.model.data_preprocessor
    return undo(prepare, x[0], predictor.scope, bgr)


def enlarged(heat: Tensor, size: torch.Size, smooth: bool = True) -> Tensor:
    """A map of tokens (*S') at the size (*S) of the input."""
    mode = 'nearest'
    if smooth:
        mode = 'bilinear' if heat.ndim == 2 else 'trilinear'
    heat = heat if heat.is_floating_point() else heat.float()
    return F.interpolate(heat[None, None], tuple(size), mode=mode)[0, 0]


def overlay(heat: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """Heat over a picture, or over each frame of a clip, in BGR.

    Args:
        heat: (*S), from 0 to 1.
        picture: (*S, 3) in RGB, bytes.
    """
    if heat.ndim == 3:
        return np.stack([overlay(*pair) for pair in zip(heat, picture)])
    below = large(picture)
    size = below.shape[1], below.shape[0]
    colours = cv2.applyColorMap(
        (255 * cv2.resize(heat, size)).astype(np.uint8), cv2.COLORMAP_JET
    )
    return cv2.addWeighted(colours, 0.45, below, 0.55, 0)


def mark(drawn: np.ndarray, query: Sequence[float]) -> None:
    """Marks a point, in place.

    Args:
        drawn: (H, W, 3), or (T, H, W, 3), of which one frame is marked.
        query: X, Y and, of clips, T (0.5 by default), as shares.
    """
    if drawn.ndim == 4:
        time = query[2] if len(query) > 2 else 0.5
        drawn = drawn[min(int(time * len(drawn)), len(drawn) - 1)]
    place = int(query[0] * drawn.shape[1]), int(query[1] * drawn.shape[0])
    for colour, width in (((0, 0, 0), 4), ((255, 255, 255), 2)):
        cv2.drawMarker(drawn, place, colour, cv2.MARKER_CROSS, 16, width)


def large(picture: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) in RGB at a size to look at, in BGR."""
    scale = max(round(SIDE / min(picture.shape[:2])), 1)
    size = picture.shape[1] * scale, picture.shape[0] * scale
    return cv2.resize(np.ascontiguousarray(picture[..., ::-1]), size)


def sheet(frames: np.ndarray, title: str = '') -> np.ndarray:
    """Some frames (T, H, W, 3) of a clip, side by side; a picture as it is."""
    if frames.ndim == 3:
        return charts.tile([frames], [title], 1, frames.shape[1::-1])
    places = np.linspace(0, len(frames) - 1, FRAMES).astype(int)
    titles = [f'{title} frame {place}'.strip() for place in places]
    size = frames.shape[2], frames.shape[1]
    return charts.tile([frames[p] for p in places], titles, 4, size)


def write(path: Path, sheets: dict[str, np.ndarray]) -> None:
    """Writes overlays: a contact sheet, and of clips a video, too.

    Args:
        path: Where to, without a suffix.
        sheets: By title, (H, W, 3) or (T, H, W, 3) in BGR.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    first = next(iter(sheets.values()))
    if first.ndim == 4:
        rows = [sheet(frames, title) for title, frames in sheets.items()]
        cv2.imwrite(f'{path}.png', np.vstack(rows))
        moving = [
            charts.tile([f[t] for f in sheets.values()], list(sheets), 4,
                        first.shape[2:0:-1])
            for t in range(len(first))
        ]  # fmt: skip
        write_video(f'{path}.mp4', moving)
        return
    size = first.shape[1], first.shape[0]
    tiled = charts.tile(list(sheets.values()), list(sheets), 4, size)
    cv2.imwrite(f'{path}.png', tiled if len(sheets) > 1 else first)


def write_video(path: str, frames: list[np.ndarray]) -> None:
    """Writes frames (H, W, 3) in BGR."""
    height, width = frames[0].shape[:2]
    codec = cv2.VideoWriter.fourcc(*'mp4v')
    video = cv2.VideoWriter(path, codec, FRAMES_PER_SECOND, (width, height))
    for frame in frames:
        video.write(frame)
    video.release()
