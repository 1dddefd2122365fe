"""One model, any number of inputs, results as they come."""

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.device import get_device

from ..engine.heap import keep_freed_memory
from ..engine.speed import (
    check_compiler,
    compile_for_inference,
    set_precision,
)
from ..errors import UserError
from ..fast.half import to_half
from ..fast.int8 import to_int8
from ..models import fuse as fuse_model
from ..tasks import HOSTS, resolve
from ..weights.load import find_backbone
from . import boxes as box_files
from . import models, reading, videos
from .batches import Lanes, Prediction, Queue
from .choices import (
    at_least_one,
    check_people,
    half_context,
    slide_windows,
)
from .clips import Recognition
from .sources import Source, expand
from .tasks import Job, Task

# Threads that compute, on a CPU.
LANES = 4


class Predictor:
    """A model with its weights, ready to predict.

    Args:
        model: A config (with ``checkpoint``), a work dir, a checkpoint of a
            training run, or the name of a published file.
        checkpoint: Weights, instead of those that belong to ``model``.
        device: 'cpu', 'cuda', 'cuda:1'; by default what there is.
        batch: Inputs that the network takes at a time, of one size.
        workers: Processes that read; by default one per core, at most four,
            and where the only two cores compute, none unless an input takes
            long. 0: this one reads.
        half: Compute in bfloat16 (CPU) or float16 (GPU); by default as the
            config tests.
        int8: Compute the linear layers of the backbone by integers of 8 bits
            (CPU); not with ``half``.
        fuse: Fold norms and scales into the weights: faster, same outputs.
        compile: Compile the backbone: a minute at the start, then faster.
        top_k: Classes, or objects, to report at most.
        classes: Detection and segmentation: report only these.
        class_names: Names of all classes, where the weights know none.
        every: Videos, by a recogniser: seconds between labels; 0: one label.
        stride: Videos, by all others: every so many frames.
        boxes: Pose: a file of boxes, see docs/predict.md.
        detector: Pose: who finds people, a :class:`Predictor` or what makes
            one, 'CONFIG:CHECKPOINT'.
        whole_image: Pose: take each picture for one person.
        box_score: Pose: people whose score is lower are left out.
        slide: Segmentation: side of the windows, in pixels of the picture,
            that slide over it at its full size.
        cfg_options: Values of the config to change.

    Raises:
        UserError: Something of this is missing or does not fit.
    """

    def __init__(
        self,
        model: str,
        checkpoint: str | None = None,
        device: str | None = None,
        batch: int = 8,
        workers: int | None = None,
        half: bool | None = None,
        int8: bool = False,
        fuse: bool = True,
        compile: bool = False,
        top_k: int | None = None,
        classes: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
        every: float = 0,
        stride: int = 1,
        boxes: str | None = None,
        detector: 'str | Predictor | None' = None,
        whole_image: bool = False,
        box_score: float = 0.3,
        slide: int | None = None,
        cfg_options: dict[str, Any] | None = None,
    ) -> None:
        if int8 and not fuse:
            raise UserError('int8=True, fuse=False: wanted fuse=True')
        cfg, checkpoint = models.find(str(model), checkpoint)
        cfg.merge_from_dict(cfg_options or {})
        self.scope = cfg.get('default_scope')
        if self.scope not in HOSTS:
            raise UserError(
                f'MODEL={str(model)!r}: default_scope={self.scope!r}; wanted '
                f'one of {", ".join(HOSTS)}'
            )
        self.kind: type[Task] = resolve(HOSTS[self.scope].predictor)
        self.batch = at_least_one(batch, 'batch')
        self.stride = at_least_one(stride, 'stride')
        self.every = every
        self.device = device or get_device()
        self.box_score = box_score
        low = set_precision(cfg, self.device, half, int8)
        self.half = half_context(self.device, cfg)
        if slide:
            slide_windows(cfg, at_least_one(slide, 'slide'), self.kind)
        if every and self.kind is not Recognition:
            raise UserError(f'every={every}: wanted a model of videos')
        check_people(self.kind, boxes, detector, whole_image)
        self.cfg = models.prepare(cfg)
        # More threads for one operator bring less than more batches do.
        aside = self.device == 'cpu' and not compile
        self.threads = torch.get_num_threads()
        self.lanes = min(LANES, self.threads) if aside else 1
        self.warm = False
        if workers is None and not (
            aside and len(os.sched_getaffinity(0)) <= 2
        ):
            workers = reading.default_workers()
        self.workers = workers
        keep_freed_memory()
        self.model, self.meta = models.build(cfg, checkpoint, self.device)
        if class_names:
            self.meta['classes'] = list(class_names)
        options: dict[str, Any] = dict(top_k=top_k, classes=classes)
        if self.kind is Recognition:
            options['every'] = every
        self.task = self.kind(self.cfg, self.meta, **options)
        self.boxes = box_files.read(boxes) if boxes else None
        self.detector = detector
        if isinstance(detector, str):
            config, _, weights = detector.rpartition(':')
            self.detector = Predictor(
                config or weights,
                weights if config else None,
                device=device,
                batch=batch,
                workers=workers,
                half=half,
                int8=int8,
                fuse=fuse,
            )
        if fuse:
            fuse_model(self.model)
        if low:
            to_half(self.model)
        if int8:
            to_int8(self.model)
        if compile:
            check_compiler(self.device)
            with torch.no_grad():
                compile_for_inference(find_backbone(self.model)[1])

    def __call__(self, sources: Any) -> list[Prediction]:
        """Predicts all of some inputs, see :meth:`stream`."""
        return list(self.stream(sources))

    def stream(self, sources: Any) -> Iterator[Prediction]:
        """Predicts inputs in their order, each as soon as it is done.

        Args:
            sources: One or several of what :func:`sources.expand` knows, or
                :class:`Source` objects.

        Yields:
            Predictions; what cannot be read has an ``error``.
        """
        yield from self.predict_jobs(self.jobs(self.found(sources)))

    def found(self, sources: Any) -> Iterable[Source]:
        """Every input that sources stand for."""
        one = isinstance(sources, (str, os.PathLike, np.ndarray, Source))
        for source in [sources] if one else sources:
            if isinstance(source, Source):
                yield source
            else:
                yield from expand([source], self.kind.clips)

    def count(self, sources: Iterable[Source]) -> int:
        """About how many predictions inputs lead to."""
        return sum(
            videos.count(source, self.stride, self.every)
            if source.kind == 'video'
            and not source.error
            and (self.every or not self.kind.clips)
            else 1
            for source in sources
        )

    def jobs(self, sources: Iterable[Source]) -> Iterator[Job]:
        """What there is to do for inputs, people to find included."""
        jobs = self.numbered(sources)
        if isinstance(self.detector, Predictor):
            return self.with_people(self.detector, jobs)
        if self.boxes:
            return (self.with_boxes(job) for job in jobs)
        return jobs

    def numbered(self, sources: Iterable[Source]) -> Iterator[Job]:
        """Jobs with their place among all."""
        index = 0
        for source in sources:
            for job in self.split(source):
                yield job._replace(order=index)
                index += 1

    def split(self, source: Source) -> Iterator[Job]:
        """One job per picture, frame, clip or window."""
        if source.error or source.kind in ('picture', 'frames', 'array'):
            yield Job(0, source, source.frame)
        elif self.every:
            assert isinstance(self.task, Recognition)
            yield from videos.windows(source, self.task, self.every)
        elif self.kind.clips:
            error = 'a camera' if source.kind == 'camera' else ''
            error = error and f'{error} has no end; wanted --every SECONDS'
            yield Job(0, source._replace(error=error))
        else:
            yield from videos.frames(source, self.stride)

    def with_boxes(self, job: Job) -> Job:
        """A job with the boxes of the file for its picture."""
        if job.source.error:
            return job
        boxes = box_files.find(self.boxes or {}, job.source.path)
        if boxes is None:
            error = 'the file of boxes has none for it'
            return job._replace(source=job.source._replace(error=error))
        return job._replace(boxes=boxes)

    def with_people(
        self, detector: 'Predictor', jobs: Iterable[Job]
    ) -> Iterator[Job]:
        """Jobs with the people that a detector finds."""
        person = detector.task.number(
            'person' if 'person' in detector.task.names else '0'
        )
        for found in detector.predict_jobs(jobs):
            if found.error:
                source = found.source._replace(error=found.error)
                yield found.job._replace(source=source)
                continue
            people = [
                [*thing['box'], thing['score']]
                for thing in found.record['objects']
                if thing['label'] == person
                and thing['score'] >= self.box_score
            ]
            rows = np.array(people, np.float32).reshape(-1, 5)
            yield found.job._replace(boxes=rows)

    def predict_jobs(self, jobs: Iterable[Job]) -> Iterator[Prediction]:
        """Reads jobs in parallel, and puts those of one size into batches."""
        # Its processes are there before the lanes.
        several, loaded = reading.start(self.task, jobs, self.workers)
        count = self.lanes if several else 1
        with Lanes(self.run, count, self.warm, self.threads) as lanes:
            queue = Queue(self.task, self.batch, lanes)
            for job, samples, error in loaded:
                yield from queue.add(job, samples, error)
            yield from queue.flush()
            self.warm = lanes.warm

    def run(self, samples: list[Any]) -> list[Any]:
        """Data samples, predictions in them, of one batch."""
        data = pseudo_collate(samples)
        with torch.no_grad(), self.half():
            return self.task.run(self.model, data)
