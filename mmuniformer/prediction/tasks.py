"""What differs by task: how an input is prepared, and what is said of it.

A task prepares in the loader's processes what the network takes, by the test
pipeline of the config, and turns the host's data samples into plain records.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import TRANSFORMS, DefaultScope
from mmengine.structures import InstanceData
from torch import Tensor

from ..errors import UserError
from . import damage, models
from .pixels import in_one_block, run_lengths
from .sources import Source

# Transforms of the test pipeline that need an annotation.
ANNOTATIONS = ('LoadAnnotations', 'LoadTokenLabel', 'LoadPanoptic')
IGNORED = 255  # of label maps


class Job(NamedTuple):
    """One thing to predict.

    Attributes:
        order: Its place among all.
        source: Where it comes from.
        frame: The picture (H, W, 3) in BGR, if it is in memory.
        number: Number of the frame, of a video.
        span: Start and end in seconds, of a video.
        frames: Frames (H, W, 3) in RGB by their place in a window of
            ``total`` frames of a video.
        total: Frames of the window.
        boxes: People to find key points of, (N, 5): x1, y1, x2, y2, score.
    """

    order: int
    source: Source
    frame: np.ndarray | None = None
    number: int | None = None
    span: tuple[float, float] | None = None
    frames: dict[int, np.ndarray] | None = None
    total: int = 0
    boxes: np.ndarray | None = None


class Task:
    """Base of the tasks, for one picture at a time.

    Args:
        cfg: Whole config, prepared.
        meta: What the data set says of itself.
        top_k: How many classes, or objects, to report at most.
        classes: Report only these, by name or number.
    """

    clips = False
    top_k_default: int | None = None
    selects = False
    loader_name = 'test_dataloader'

    def __init__(
        self,
        cfg: Config,
        meta: dict[str, Any],
        top_k: int | None = None,
        classes: Sequence[str] | None = None,
    ) -> None:
        self.meta = meta
        self.names = list(meta.get('classes') or ())
        self.top_k = top_k or self.top_k_default
        self.scope = cfg.get('default_scope')
        if classes and not self.selects:
            raise UserError(
                f'--classes={" ".join(classes)}: wanted a model of '
                f'detection or semantic segmentation'
            )
        self.selected = [self.number(name) for name in classes or ()]
        self.transforms = self.build_pipeline(cfg)

    def build_pipeline(self, cfg: Config) -> list[Any]:
        """The test pipeline, without what reads annotations."""
        dataset = models.innermost(cfg[self.loader_name].dataset)
        with DefaultScope.overwrite_default_scope(self.scope):
            return [
                TRANSFORMS.build(transform)
                for transform in dataset.pipeline
                if not transform['type'].split('.')[-1].startswith(ANNOTATIONS)
            ]

    def number(self, name: str) -> int:
        """The number of a class that is given by name or number."""
        if name in self.names:
            return self.names.index(name)
        if name.isdecimal() and int(name) < (len(self.names) or 10**6):
            return int(name)
        wanted = ', '.join(self.names[:200]) or 'numbers: it knows no names'
        raise UserError(
            f'--classes {name!r}: no class of this model; wanted some of '
            f'{wanted}'
        )

    def name(self, label: int) -> str:
        """The name of a class, or its number."""
        return self.names[label] if label < len(self.names) else str(label)

    def read(self, job: Job) -> dict[str, Any]:
        """What the first transform, which reads, makes of a picture."""
        load = self.transforms[0]
        if job.frame is None:
            path = job.source.path
            damage.check_picture(path, load.imdecode_backend)
            return in_one_block(load(dict(img_path=path, img_id=job.order)))
        frame = np.ascontiguousarray(job.frame)
        return dict(
            img=frame,
            img_path=job.source.path,
            img_id=job.order,
            img_shape=frame.shape[:2],
            ori_shape=frame.shape[:2],
        )

    def prepare(self, job: Job) -> list[dict[str, Any]]:
        """What the network takes: a list of inputs and data samples."""
        return [Compose(self.transforms[1:])(self.read(job))]

    def key(self, sample: dict[str, Any]) -> Any:
        """Only samples with the same key share a batch.

        Other sizes would be padded, which changes what comes out.
        """
        return tuple(sample['inputs'].shape)

    def run(self, model: Any, data: dict[str, Any]) -> list[Any]:
        """The host's data samples of a batch, predictions in them."""
        return model.test_step(data)

    def record(self, samples: list[Any]) -> dict[str, Any]:
        """Plain values of what the model says of a job."""
        raise NotImplementedError

    def one(self, label: int, score: float) -> dict[str, Any]:
        """A class with its name and score."""
        return dict(label=label, name=self.name(label), score=score)


class Classification(Task):
    """Pictures of one thing each."""

    top_k_default = 5

    def record(self, samples: list[Any]) -> dict[str, Any]:
        """``label``, ``name``, ``score`` of the best; ``top``: the best."""
        scores = self.probabilities(samples[0].pred_score.float().cpu())
        best = scores.topk(min(self.top_k or 5, len(scores)))
        top = [
            self.one(label, score)
            for score, label in zip(
                best.values.tolist(), best.indices.tolist()
            )
        ]
        return dict(top[0], top=top)

    def probabilities(self, scores: Tensor) -> Tensor:
        """The scores (K,) as shares of one.

        Recognisers average logits of their views, and leave it at that.
        """
        if scores.min() < 0 or abs(scores.sum() - 1) > 0.05:
            return scores.softmax(-1)
        return scores


class Detection(Task):
    """Boxes and, of models that have them, masks."""

    selects = True

    def prune(self, found: InstanceData) -> InstanceData:
        """The objects to report, the surest first."""
        found = found[found.scores.argsort(descending=True, stable=True)]
        if self.selected:
            keep = [label in self.selected for label in found.labels.tolist()]
            found = found[np.array(keep, bool)]
        return found[: self.top_k] if self.top_k else found

    def record(self, samples: list[Any]) -> dict[str, Any]:
        """``objects``, each with class, score, ``box`` and ``mask``."""
        found = samples[0].pred_instances = self.prune(
            samples[0].pred_instances
        )
        objects = [
            dict(self.one(label, score), box=box)
            for label, score, box in zip(
                found.labels.tolist(),
                found.scores.tolist(),
                found.bboxes.tolist(),
            )
        ]
        if 'masks' in found:
            for thing, mask in zip(objects, run_lengths(found.masks)):
                thing['mask'] = mask
        return dict(objects=objects)


class Segmentation(Task):
    """A class for every pixel."""

    selects = True

    def key(self, sample: dict[str, Any]) -> Any:
        """The host scales a whole batch back to the size of one picture."""
        return super().key(sample), sample['data_samples'].ori_shape

    def run(self, model: Any, data: dict[str, Any]) -> list[Any]:
        """Without ``seg_logits``, which nothing here asks for."""
        from ..hosts.mmseg import label_maps

        return label_maps.predict(model, data)

    def record(self, samples: list[Any]) -> dict[str, Any]:
        """``regions``: classes with ``share`` of the area and ``mask``."""
        labels = samples[0].pred_sem_seg.data
        if self.selected:
            keep = sum(labels == label for label in self.selected)
            labels = labels.where(keep > 0, IGNORED)
            samples[0].pred_sem_seg.data = labels
        values, counts = labels.unique(return_counts=True)
        order = counts.argsort(descending=True, stable=True)
        found = [v for v in values[order].tolist() if v != IGNORED]
        found = found[: self.top_k]
        masks = (
            run_lengths(
                np.stack([np.asarray(labels[0].cpu()) == v for v in found])
            )
            if found
            else []
        )
        sizes = dict(zip(values.tolist(), counts.tolist()))
        regions = [
            dict(
                label=label,
                name=self.name(label),
                share=sizes[label] / labels.numel(),
                mask=mask,
            )
            for label, mask in zip(found, masks)
        ]
        return dict(regions=regions)


class Pose(Task):
    """Key points of people whose boxes are known."""

    def prepare(self, job: Job) -> list[dict[str, Any]]:
        """One input per person."""
        whole = self.read(job)
        height, width = whole['img_shape']
        boxes = job.boxes
        if boxes is None:  # the whole picture
            boxes = np.array([[0, 0, width, height, 1]], np.float32)
        rest = Compose(self.transforms[1:])
        return [
            rest(
                dict(
                    whole,
                    bbox=np.float32(box[None, :4]),
                    bbox_score=np.float32(box[4:]),
                    **{k: v for k, v in self.meta.items() if k not in whole},
                )
            )
            for box in boxes
        ]

    def record(self, samples: list[Any]) -> dict[str, Any]:
        """``people``, each with ``box``, ``keypoints`` and their scores."""
        people = [
            dict(
                box=found.bboxes[0].tolist(),
                box_score=float(found.bbox_scores[0]),
                score=float(np.mean(found.keypoint_scores[0])),
                keypoints=found.keypoints[0].tolist(),
                keypoint_scores=found.keypoint_scores[0].tolist(),
            )
            for found in (sample.pred_instances for sample in samples)
        ]
        names = self.meta.get('keypoint_id2name') or {}
        names = [names[number] for number in sorted(names)]
        return dict(keypoint_names=names, people=people)
