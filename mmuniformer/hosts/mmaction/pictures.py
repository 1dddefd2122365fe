"""For mmaction2: what a model says of a clip, as a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mmcv
import numpy as np
from mmaction.engine.hooks import VisualizationHook
from torch import Tensor

from ...engine.config import draw_in_all_processes
from ...registry import HOOKS
from .clips import ReverseChannels

MAX_FRAMES = 8
# Room for the text: the height above the frames, and the least width.
BAND, MIN_WIDTH = 28, 384


@HOOKS.register_module()
class ClipVisualizationHook(VisualizationHook):
    """Draws frames of a clip side by side, above them what they show.

    mmaction2's hook draws inputs (C, T, H, W), and its visualizer reads
    ``pred_labels``, which samples of mmaction2 1.x do not have: on inputs
    (V, C, T, H, W) of V views it fails, and of others it draws no labels.

    Args:
        enable: Whether to draw.
        interval: Draw one of so many samples.
        show: Open a window for each picture.
        wait_time: How long, in seconds; 0 is until a key is pressed.
        out_dir: Where to write ``NUMBER_NAME.jpg``, by the number of the
            sample and the name of its file; by default the folder of the
            visualizer.
    """

    def __init__(
        self,
        enable: bool = False,
        interval: int = 5000,
        show: bool = False,
        wait_time: float = 0,
        out_dir: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(enable, interval, show, out_dir, **kwargs)
        self.wait_time = wait_time
        self.numbers: list[int] = []

    def before_val_epoch(self, runner: Any) -> None:
        """Asks which samples this process has, of several."""
        if self.enable:
            self.numbers = list(runner.val_dataloader.sampler)

    def before_test_epoch(self, runner: Any) -> None:
        """Asks which samples this process has, and lets it draw them."""
        if self.enable:
            draw_in_all_processes(self._visualizer)
            self.numbers = list(runner.test_dataloader.sampler)

    def after_val_iter(
        self,
        runner: Any,
        batch_idx: int,
        data_batch: dict,
        outputs: Sequence[Any],
    ) -> None:
        """Draws, of the validation data."""
        if self.enable:
            loader = runner.val_dataloader
            self.draw(loader, batch_idx, data_batch, outputs, runner.iter)

    def after_test_iter(
        self,
        runner: Any,
        batch_idx: int,
        data_batch: dict,
        outputs: Sequence[Any],
    ) -> None:
        """Draws, of the test data."""
        if self.enable:
            loader = runner.test_dataloader
            self.draw(loader, batch_idx, data_batch, outputs, 0)

    def draw(
        self,
        loader: Any,
        batch_idx: int,
        data_batch: dict,
        outputs: Sequence[Any],
        step: int,
    ) -> None:
        """Draws one of ``interval`` samples of a batch.

        Args:
            loader: Where the batch is from.
            batch_idx: Its number, in this process.
            data_batch: ``inputs`` as the pipeline packs them.
            outputs: The model's data samples.
            step: For the folder of the visualizer.
        """
        dataset = loader.dataset
        classes = getattr(dataset, 'metainfo', {}).get('classes')
        first = batch_idx * loader.batch_size
        for i, sample in enumerate(outputs):
            number = self.numbers[first + i]
            if number % self.interval:
                continue
            frames = frames_of(data_batch['inputs'][i])
            if blue_first(dataset):
                frames = frames[..., ::-1]
            image = self.strip(frames, caption(sample, classes))
            name = f'{number:06d}_{stem(dataset.get_data_info(number))}'
            if self.show:
                self._visualizer.show(image, name, self.wait_time)
            if self.out_dir is not None:
                path = Path(self.out_dir) / f'{name}.jpg'
                mmcv.imwrite(mmcv.rgb2bgr(image), str(path))
            elif not self.show:
                self._visualizer.add_image(name, image, step)

    def strip(self, frames: np.ndarray, text: str) -> np.ndarray:
        """Frames (T, H, W, 3) in a row, text above them."""
        count = min(len(frames), MAX_FRAMES)
        chosen = np.linspace(0, len(frames) - 1, count).round().astype(int)
        row = np.concatenate(frames[chosen], 1)
        right = max(MIN_WIDTH - row.shape[1], 0)
        row = np.pad(row, ((BAND, 0), (0, right), (0, 0)))
        self._visualizer.set_image(row)
        self._visualizer.draw_texts(
            text,
            np.array([4, 4]),
            font_sizes=12,
            colors='white',
            font_families='monospace',
        )
        return self._visualizer.get_image()


def frames_of(inputs: Tensor) -> np.ndarray:
    """The view in the middle of packed inputs, as bytes (T, H, W, 3).

    Args:
        inputs: (V, 3, T, H, W) of a 3D recogniser, (T, 3, H, W) of a 2D one.
    """
    if inputs.ndim == 5:
        inputs = inputs[len(inputs) // 2].transpose(0, 1)
    frames = inputs.permute(0, 2, 3, 1).cpu().float().round().clip(0, 255)
    return frames.numpy().astype(np.uint8)


def blue_first(dataset: Any) -> bool:
    """Whether the pipeline of a data set turns channels round."""
    transforms = getattr(getattr(dataset, 'pipeline', None), 'transforms', ())
    return any(isinstance(t, ReverseChannels) for t in transforms)


def caption(sample: Any, classes: Sequence[str] | None) -> str:
    """What is predicted, how surely, and what is annotated."""

    def named(label: int) -> str:
        return f'{label} {classes[label]}' if classes else str(label)

    scores = sample.pred_score
    best = int(scores.argmax())
    parts = [f'predicted {named(best)}, {float(scores[best]):.2f}']
    labels = sample.get('gt_label')
    if labels is not None and min(labels.tolist(), default=-1) >= 0:
        truth = ', '.join(named(label) for label in labels.tolist())
        parts.append(f'annotated {truth}')
    return '; '.join(parts)


def stem(info: dict) -> str:
    """The name of a video, or of its folder of frames."""
    path = info.get('filename') or info.get('frame_dir') or 'clip'
    return Path(path).stem
