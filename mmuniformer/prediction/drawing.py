"""Pictures of predictions, by the hosts' visualizers."""

import warnings
from typing import Any

import cv2
import numpy as np
from mmengine.registry import VISUALIZERS, DefaultScope
from mmengine.structures import InstanceData

from .clips import Recognition
from .predictor import Prediction, Predictor
from .tasks import Classification, Detection, Pose, Segmentation

FRAMES_IN_A_STRIP = 8
SIDE = 320  # pixels, of a picture on which thin lines are seen
PAD = ((0, 0), (0, 2), (0, 0))  # a white line between frames
FONT = cv2.FONT_HERSHEY_SIMPLEX


class Drawer:
    """Draws predictions of a model.

    Args:
        predictor: The model.
        score: Objects, people and key points with less are left out.
    """

    def __init__(self, predictor: Predictor, score: float = 0.3) -> None:
        self.predictor = predictor
        self.score = score
        self.task = predictor.task
        self.drawn: list[np.ndarray] = []
        # What reaches beyond a picture is drawn as far as it is in it.
        warnings.filterwarnings('ignore', '.* is out of bounds, the drawn')
        cfg = dict(
            predictor.cfg.visualizer,
            name=f'predict_{id(self)}',
            vis_backends=None,
        )
        with DefaultScope.overwrite_default_scope(predictor.scope):
            self.visualizer = VISUALIZERS.build(cfg)
        self.visualizer.dataset_meta = predictor.meta
        if isinstance(self.task, Pose):
            self.visualizer.set_dataset_meta(predictor.meta)
        # All hosts end here; they have no common way to return a picture.
        self.visualizer.add_image = lambda name, image, step=0: (
            self.drawn.append(image)
        )

    def draw(self, prediction: Prediction) -> np.ndarray:
        """A picture (H, W, 3) in BGR of a prediction without error."""
        if isinstance(self.task, Recognition):
            return self.strip(prediction)
        loaded = self.task.read(prediction.job)['img']
        image = cv2.cvtColor(loaded.astype(np.uint8), cv2.COLOR_BGR2RGB)
        if not prediction.samples:  # nobody in it
            return cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        sample = prediction.samples[0]
        options: dict[str, Any] = dict(draw_gt=False)
        draw = self.visualizer.add_datasample
        if isinstance(self.task, Classification):
            draw = self.visualizer.visualize_cls
            self.visualizer.visualize_cls(image, sample, **options)
            return cv2.cvtColor(self.drawn.pop(), cv2.COLOR_RGB2BGR)
        if isinstance(self.task, Detection):
            options['pred_score_thr'] = self.score
        elif isinstance(self.task, Segmentation):
            self.visualizer.alpha = 0.5
        else:
            sample = sample.new()
            people = [s.pred_instances for s in prediction.samples]
            sample.pred_instances = InstanceData.cat(people)
            options.update(draw_bbox=True, kpt_thr=self.score)
            # The host's 3 and 1 pixels, of a picture of common size.
            scale = max(round(max(image.shape[:2]) / SIDE), 1)
            self.visualizer.radius = 3 * scale
            self.visualizer.line_width = scale
        draw('', image, sample.cpu(), **options)
        return cv2.cvtColor(self.drawn.pop(), cv2.COLOR_RGB2BGR)

    def strip(self, prediction: Prediction) -> np.ndarray:
        """Some frames of the first view of a clip, and its label."""
        assert isinstance(self.task, Recognition)
        clip = prediction.inputs[0].permute(1, 2, 3, 0).float().numpy()
        places = np.linspace(0, len(clip) - 1, FRAMES_IN_A_STRIP)
        frames = [clip[int(place)] for place in places]
        strip = np.hstack(
            [np.pad(f, PAD, constant_values=255) for f in frames]
        )
        # Gray, or the first three of more channels.
        last = strip.shape[-1] - 1
        strip = strip[..., [min(k, last) for k in range(3)]]
        rest = (type(t).__name__ for t in self.task.rest)
        if 'ReverseChannels' not in rest:
            strip = strip[..., ::-1]
        picture = np.ascontiguousarray(strip.clip(0, 255), np.uint8)
        bar = np.zeros((24, picture.shape[1], 3), np.uint8)
        write_label(bar, label_of(prediction.record))
        return np.vstack([bar, picture])


def label_of(record: dict[str, Any]) -> str:
    """The best class and its score, as text."""
    return f'{record["name"]} {record["score"]:.2f}'


def write_label(picture: np.ndarray, text: str) -> np.ndarray:
    """Writes a line into a picture (H, W, 3) in BGR, in place."""
    scale = max(picture.shape[0] / 400, 0.4)
    size, base = cv2.getTextSize(text, FONT, scale, 1)
    cv2.rectangle(
        picture, (0, 0), (size[0] + 8, size[1] + base + 6), (0, 0, 0), -1
    )
    white = 255, 255, 255
    cv2.putText(
        picture, text, (4, size[1] + 4), FONT, scale, white, 1, cv2.LINE_AA
    )
    return picture


def draw_timeline(
    spans: list[tuple[float, float, str, float]], path: str
) -> None:
    """Draws which class comes when.

    Args:
        spans: Start and end in seconds, class and score of each period.
        path: The picture to write.
    """
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(name for _, _, name, _ in spans))
    totals = {
        n: sum(e - s for s, e, name, _ in spans if name == n) for n in names
    }
    rows = sorted(names, key=totals.__getitem__, reverse=True)[:20]
    figure = Figure(figsize=(10, 1.2 + 0.35 * len(rows)), layout='tight')
    axes = figure.add_subplot()
    for row, name in enumerate(rows):
        own = [s for s in spans if s[2] == name]
        axes.broken_barh(
            [(start, end - start) for start, end, _, _ in own],
            (row - 0.4, 0.8),
            color=[(0.1, 0.35, 0.7, max(0.15, s[3])) for s in own],
        )
    axes.set_yticks(range(len(rows)), rows)
    axes.invert_yaxis()
    axes.set_xlim(spans[0][0], spans[-1][1])
    axes.set_xlabel('seconds; the darker, the surer')
    figure.savefig(path, dpi=100)
