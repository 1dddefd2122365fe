"""What the network is really fed: after the whole training pipeline.

Normalisation is undone, labels are drawn. Mixing of pictures in batches is
in it, as the data preprocessor of the model does that.
"""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, MODELS, VISUALIZERS, init_default_scope
from torch import Tensor

from ..errors import UserError
from . import charts

FRAMES = 8
# What draws where a config says nothing.
VISUALIZERS_OF = {
    'mmpretrain': dict(type='UniversalVisualizer'),
    'mmdet': dict(type='DetLocalVisualizer'),
    'mmseg': dict(type='SegLocalVisualizer'),
    'mmpose': dict(type='PoseLocalVisualizer'),
    'mmaction': dict(type='ActionVisualizer'),
}
# Models that hand what mixes batches on to their data preprocessor.
PREPROCESSORS = {
    'mmpretrain': 'ClsDataPreprocessor',
    'mmaction': 'ActionDataPreprocessor',
}


class Browser:
    """Batches of a data set as the network gets them.

    Args:
        cfg: Whole config.
        split: 'train', 'val' or 'test'.

    Raises:
        UserError: The config has no such loader.
    """

    def __init__(self, cfg: Config, split: str = 'train') -> None:
        loader = cfg.get(f'{split}_dataloader')
        if not loader:
            raise UserError(f'split={split!r}: the config has no such loader')
        self.scope = cfg.default_scope
        self.training = split == 'train'
        init_default_scope(self.scope)
        self.dataset = DATASETS.build(loader.dataset)
        self.batch = loader.get('batch_size', 1)
        prepare = dict(cfg.model.get('data_preprocessor') or {})
        prepare.setdefault('type', PREPROCESSORS.get(self.scope, ''))
        if self.scope == 'mmpretrain' and cfg.model.get('train_cfg'):
            prepare.setdefault('batch_augments', cfg.model.train_cfg)
        self.prepare = MODELS.build(prepare)
        self.bgr = 'ReverseChannels' in str(loader.dataset)
        visualizer = dict(
            cfg.get('visualizer') or VISUALIZERS_OF[self.scope],
            name=f'browse_{id(self)}',
            vis_backends=None,
        )
        self.drawn: list[np.ndarray] = []
        self.visualizer = VISUALIZERS.build(visualizer)
        self.visualizer.dataset_meta = self.dataset.metainfo
        self.visualizer.add_image = lambda name, image, step=0: (
            self.drawn.append(image)
        )

    def pictures(self, number: int) -> Iterator[tuple[str, np.ndarray]]:
        """Names and pictures (H, W, 3) in BGR, before and after.

        Args:
            number: How many at most.
        """
        done = 0
        size = max(self.batch, 2)
        for start in range(0, min(len(self.dataset), number), size):
            places = range(start, min(start + size, len(self.dataset)))
            samples: list[Any] = []
            for place in places:
                one = self.dataset[place]
                samples += one if isinstance(one, list) else [one]
            before = [one['data_samples'].get('img_path') for one in samples]
            data = pseudo_collate(samples)
            with torch.no_grad():
                fed = self.prepare(data, self.training)
            for path, x, sample in zip(
                before, fed['inputs'], fed['data_samples']
            ):
                if done == number:
                    return
                after = self.labelled(self.undo(x), sample)
                yield f'{done:04}', beside(path, after)
                done += 1

    def undo(self, x: Tensor) -> np.ndarray:
        """Pictures in RGB of what the network gets, see :func:`undo`."""
        return undo(self.prepare, x, self.scope, self.bgr)

    def labelled(self, picture: np.ndarray, sample: Any) -> np.ndarray:
        """A picture in BGR with its labels."""
        if picture.ndim == 4:
            places = np.linspace(0, len(picture) - 1, FRAMES).astype(int)
            frames = [frame[..., ::-1] for frame in picture[places]]
            titles = [f'frame {place}' for place in places]
            titles[0] = self.title(sample)
            size = frames[0].shape[1], frames[0].shape[0]
            return charts.tile(frames, titles, 4, size)
        picture = np.ascontiguousarray(picture)
        if self.scope == 'mmpretrain':
            bgr = picture[..., ::-1]
            size = max(bgr.shape[1], 160), max(bgr.shape[0], 160)
            return charts.tile([bgr], [self.title(sample)], 1, size)
        if self.scope == 'mmpose':
            return heat(picture, sample)[..., ::-1]
        draw = self.visualizer.add_datasample
        draw('', picture, sample.cpu(), draw_pred=False)
        return self.drawn.pop()[..., ::-1]

    def title(self, sample: Any) -> str:
        """Classes of a sample; shares, where pictures were mixed."""
        names = self.dataset.metainfo.get('classes') or ()
        score = sample.get('gt_score')
        if score is not None:
            best = torch.as_tensor(score).topk(min(2, len(score)))
            pairs = zip(best.indices.tolist(), best.values.tolist())
            return ', '.join(
                f'{names[k] if k < len(names) else k} {share:.2f}'
                for k, share in pairs
                if share > 0.05
            )
        labels = torch.as_tensor(sample.gt_label).flatten().tolist()
        return ', '.join(
            str(names[k]) if k < len(names) else str(k) for k in labels
        )


def undo(prepare: Any, x: Tensor, scope: str, bgr: bool) -> np.ndarray:
    """Undoes the normalisation of a data preprocessor.

    Args:
        prepare: The data preprocessor.
        x: A picture (C, H, W), a clip (C, T, H, W) or views of it.
        scope: The host.
        bgr: Whether a pipeline of clips turns channels around.

    Returns:
        ([T,] H, W, 3) in RGB, bytes; gray of one channel.
    """
    x = x.detach().float().cpu()
    if x.ndim == 5:  # views of a clip: the first one
        x = x[0]
    mean = getattr(prepare, 'mean', None)
    if mean is not None:
        shape = (-1, *(1,) * (x.ndim - 1))
        std = prepare.std.cpu().flatten().view(shape)
        x = x * std + mean.cpu().flatten().view(shape)
    x = x.movedim(0, -1)
    if x.shape[-1] != 3:  # gray, or the first three of more channels
        x = x[..., [min(k, x.shape[-1] - 1) for k in range(3)]]
    swapped = (
        getattr(prepare, '_channel_conversion', False)
        or getattr(prepare, 'channel_conversion', False)
        or getattr(prepare, 'to_rgb', False)
    )
    if not (swapped or (scope == 'mmaction' and not bgr)):
        x = x.flip(-1)
    return x.clamp(0, 255).round().byte().numpy()


def heat(picture: np.ndarray, sample: Any) -> np.ndarray:
    """A crop of a person with the heat maps that it is trained on."""
    fields = sample.get('gt_fields')
    if fields is None or 'heatmaps' not in fields:
        return picture
    maps = torch.as_tensor(fields.heatmaps).amax(0).numpy()
    maps = cv2.resize(maps, picture.shape[1::-1])[..., None].clip(0, 1)
    red = np.array([255, 0, 0])
    return (picture * (1 - maps) + red * maps).astype(np.uint8)


def beside(path: str | None, after: np.ndarray) -> np.ndarray:
    """The file on the left, what became of it on the right."""
    before = cv2.imread(path) if path else None
    if before is None:
        return np.ascontiguousarray(after)
    scale = after.shape[0] / before.shape[0]
    width = max(round(before.shape[1] * scale), 1)
    left = cv2.resize(before, (width, after.shape[0]))
    return np.hstack([left, np.full((len(left), 4, 3), 255, np.uint8), after])
