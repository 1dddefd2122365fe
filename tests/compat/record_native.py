"""Records what natively compiled mmcv operators and xtcocotools return.

Run once, on a machine that has both, from the root of the project::

    pip install --no-deps --target /tmp/native mmcv-2.1.0-cp311-....whl
    pip install --no-deps xtcocotools
    PYTHONPATH=/tmp/native:. python -m tests.compat.record_native

It writes ``tests/golden/native_ops.npz``.
"""

import tempfile
from pathlib import Path

import numpy as np

import mmuniformer  # noqa: F401, xtcocotools beside numpy 2
from tests.compat import cases


def main():
    from mmcv import _ext
    from xtcocotools import coco, cocoeval

    assert not cases.is_stand_in(_ext), 'no native mmcv operators here'
    assert not cases.is_stand_in(cocoeval), 'xtcocotools is not installed'
    record = {}
    for i, case in enumerate(cases.ROI_CASES):
        out, grad = cases.roi_align(_ext, *case)
        record[f'roi_align/{i}/out'] = out.numpy()
        record[f'roi_align/{i}/grad'] = grad.numpy()
    for i, (threshold, offset) in enumerate(cases.NMS_CASES):
        for integer in (False, True):
            boxes, scores = cases.scored_boxes(i, integer)
            keep = _ext.nms(
                boxes, scores, iou_threshold=threshold, offset=offset
            )
            record[f'nms/{i}/{int(integer)}'] = keep.numpy()
    for split in (10000, 10):
        dets, keep = cases.batched_nms(split)
        record[f'batched_nms/{split}/dets'] = dets.numpy()
        record[f'batched_nms/{split}/keep'] = keep.numpy()
    for i, settings in enumerate(cases.KEYPOINT_CASES):
        with tempfile.TemporaryDirectory() as folder:
            record[f'keypoints/{i}'] = cases.keypoint_stats(
                coco, cocoeval, Path(folder), i, **settings
            )
    np.savez_compressed(cases.RECORD, **record)


if __name__ == '__main__':
    main()
