"""For mmpose: one picture per image, with all its people."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mmcv
import torch
from mmengine import fileio
from mmengine.dist import all_gather_object, get_rank, get_world_size
from mmengine.structures import InstanceData
from mmpose.engine.hooks import PoseVisualizationHook
from mmpose.structures import PoseDataSample

from ...engine.config import draw_in_all_processes
from ...registry import HOOKS

FIELDS = ('keypoints', 'keypoint_scores', 'bboxes', 'bbox_scores')


@HOOKS.register_module()
class PeopleVisualizationHook(PoseVisualizationHook):
    """Draws the people of an image into one picture, after the test.

    A sample of a top-down model is one box. mmpose's hook writes a picture
    for each, of boxes that a detector was hardly sure of, too.

    Args:
        bbox_thr: Draw boxes of at least this score; as mmpose's inferencers
            do.
        kwargs: As of mmpose's ``PoseVisualizationHook``.
    """

    def __init__(self, bbox_thr: float = 0.3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bbox_thr = bbox_thr
        self.people: dict[str, list[InstanceData]] = {}

    def before_test_epoch(self, runner: Any) -> None:
        """Forgets the people of an earlier test; lets all processes draw."""
        self.people = {}
        if self.enable:
            draw_in_all_processes(self._visualizer)

    def after_test_iter(
        self,
        runner: Any,
        batch_idx: int,
        data_batch: dict,
        outputs: Sequence[PoseDataSample],
    ) -> None:
        """Keeps the people of a batch."""
        for sample in outputs if self.enable else ():
            found = sample.pred_instances
            kept = {k: torch.as_tensor(found[k]) for k in FIELDS if k in found}
            scores = kept.get('bbox_scores')
            people = InstanceData(**kept).cpu().numpy()
            if scores is not None:
                people = people[people.bbox_scores >= self.bbox_thr]
            self.people.setdefault(sample.img_path, []).append(people)

    def after_test_epoch(
        self, runner: Any, metrics: dict[str, float] | None = None
    ) -> None:
        """Draws the images, of which each process takes its share."""
        if not self.enable:
            return
        folder = self.out_dir
        if folder is not None:
            folder = str(Path(runner.work_dir, runner.timestamp, folder))
        self._visualizer.set_dataset_meta(runner.test_evaluator.dataset_meta)
        # The boxes of an image are in the shares of several processes.
        people: dict[str, list[InstanceData]] = {}
        for part in all_gather_object(self.people):
            for path, found in part.items():
                people.setdefault(path, []).extend(found)
        names = out_names(people)
        for path in sorted(people)[get_rank() :: get_world_size()]:
            image = mmcv.imfrombytes(
                fileio.get(path, self.backend_args), channel_order='rgb'
            )
            sample = PoseDataSample()
            sample.pred_instances = InstanceData.cat(people[path])
            self._visualizer.add_datasample(
                names[path],
                image,
                data_sample=sample,
                draw_gt=False,
                draw_bbox=True,
                show=self.show,
                wait_time=self.wait_time,
                out_file=folder and str(Path(folder, names[path])),
                kpt_thr=self.kpt_thr,
                step=self._test_index,
            )


def out_names(paths: Any) -> dict[str, str]:
    """Names of pictures; images of one name get the name of their folder."""
    counts: dict[str, int] = {}
    for path in paths:
        name = Path(path).name
        counts[name] = counts.get(name, 0) + 1
    return {
        path: Path(path).name
        if counts[Path(path).name] == 1
        else '_'.join(Path(path).parts[-2:])
        for path in paths
    }
