"""``xtcocotools``, which mmpose imports, on top of pycocotools.

Its wheels are built against numpy 1 and there is none from Python 3.12 on
(xtcocoapi#45). This module stands in for the package, its ``coco`` and its
``cocoeval``, where it is not installed at all. It answers what mmpose 1.3.2
asks for body key points; numbers are those of xtcocotools.
"""

# ruff: noqa: N802, N803, N806 (names of the interface that it stands in for)

import json
from collections import defaultdict
from typing import Any

import numpy as np
from pycocotools import coco, cocoeval

__path__: list[str] = []


class COCO(coco.COCO):
    """pycocotools' index, for files that leave out optional fields."""

    def __init__(self, annotation_file: str | None = None) -> None:
        super().__init__(annotation_file)
        self.dataset.setdefault('info', {})
        for ann in self.dataset.get('annotations', []):
            ann.setdefault('iscrowd', 0)

    def loadRes(self, resFile: Any) -> coco.COCO:
        """Indexes results, of which there may be none."""
        if isinstance(resFile, str):
            with open(resFile) as file:
                resFile = json.load(file)
        if len(resFile):
            return super().loadRes(resFile)
        results = COCO()
        results.dataset = {**self.dataset, 'annotations': []}
        results.createIndex()
        return results


class COCOeval(cocoeval.COCOeval):
    """pycocotools' evaluation with xtcocotools' arguments and rules.

    Args:
        cocoGt: Index of the ground truth.
        cocoDt: Index of the results.
        iouType: ``'keypoints'``.
        sigmas: Fall-off of each key point; those of COCO by default.
        use_area: Scale by the annotated area, else by 0.53 of the box.
    """

    def __init__(
        self,
        cocoGt: coco.COCO | None = None,
        cocoDt: coco.COCO | None = None,
        iouType: str = 'keypoints',
        sigmas: Any = None,
        use_area: bool = True,
    ) -> None:
        if iouType != 'keypoints':
            raise NotImplementedError(
                f'iou_type {iouType!r} needs xtcocotools, which is not '
                'installed; pycocotools has only keypoints'
            )
        super().__init__(cocoGt, cocoDt, iouType)
        self.use_area = use_area
        if sigmas is not None:
            self.params.kpt_oks_sigmas = np.asarray(sigmas)

    def _prepare(self) -> None:
        """Sorts annotations by image and category, as xtcocotools does."""
        self._gts, self._dts = defaultdict(list), defaultdict(list)
        self.evalImgs: Any = defaultdict(list)
        self.eval: Any = {}
        for gt in self._annotations(self.cocoGt):
            gt = dict(gt)
            gt['ignore'] = gt['iscrowd'] or not _labelled(gt)
            # pycocotools takes a match with annotation 0 for no match.
            gt['id'] = gt['id'] or -1
            if not self.use_area:
                gt['area'] = gt['bbox'][2] * gt['bbox'][3] * 0.53
            self._gts[gt['image_id'], gt['category_id']].append(gt)
        for dt in self._annotations(self.cocoDt):
            if _labelled(dt):
                self._dts[dt['image_id'], dt['category_id']].append(dt)

    def _annotations(self, index: coco.COCO) -> list[dict[str, Any]]:
        cats = self.params.catIds if self.params.useCats else []
        ids = index.getAnnIds(imgIds=self.params.imgIds, catIds=cats)
        return index.loadAnns(ids)


def _labelled(ann: dict[str, Any]) -> bool:
    """Whether any key point has a visibility or score above 0."""
    return any(v > 0 for v in ann['keypoints'][2::3])
