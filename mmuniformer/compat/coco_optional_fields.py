"""Optional fields of COCO's annotation files, filled in where they lack.

The format has ``info``, ``area``, ``iscrowd`` and, for boxes alone,
``segmentation`` as fields that tools may leave out, and many do. mmdet reads
``area`` of each object, pycocotools measures by it and by ``iscrowd``, and
copies ``info``: all end in a KeyError, the latter two after the first epoch
(pycocotools 2.0.9 and 2.0.10; ppwwyyxx/cocoapi#32, mmdetection#9993).
"""

from types import ModuleType
from typing import Any

# As mmpose takes it for people: part of the box that a person fills.
FILLED = 0.53


def complete(ann: dict[str, Any]) -> None:
    """Fills in what an object lacks: flag, area, number of key points."""
    if ann.get('iscrowd') is None:
        ann['iscrowd'] = 0
    points = ann.get('keypoints')
    if ann.get('area') is None and ann.get('bbox'):
        width, height = ann['bbox'][2:4]
        ann['area'] = width * height * (FILLED if points else 1)
    if points and ann.get('num_keypoints') is None:
        ann['num_keypoints'] = sum(v > 0 for v in points[2::3])


def apply(coco: ModuleType) -> None:
    """Has pycocotools index files without optional fields."""
    create_index = coco.COCO.createIndex
    to_rle = coco.COCO.annToRLE

    def complete_and_index(self: Any) -> None:
        self.dataset.setdefault('info', {})
        for ann in self.dataset.get('annotations') or ():
            complete(ann)
        create_index(self)

    def ann_to_rle(self: Any, ann: dict[str, Any]) -> Any:
        """The mask, or the outline of the box, as loadRes makes it."""
        if not any(ann.get('segmentation') or ()):
            x, y, w, h = ann['bbox']
            outline = [x, y, x, y + h, x + w, y + h, x + w, y]
            ann = dict(ann, segmentation=[outline])
        return to_rle(self, ann)

    coco.COCO.createIndex = complete_and_index
    coco.COCO.annToRLE = ann_to_rle
