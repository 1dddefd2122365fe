"""Inputs on which the stand-ins are compared with what they stand in for.

numpy's ``RandomState`` is frozen: the recorded results stay valid.
"""

from itertools import product
from pathlib import Path

import numpy as np
import torch

RECORD = Path(__file__).parents[1] / 'golden' / 'native_ops.npz'
FEATURES = (2, 2, 13, 17)
ROI_CASES = list(product((1.0, 0.25, 1 / 32), (0, 2), (True, False)))
NMS_CASES = list(product((0.0, 0.3, 0.5, 0.6, 0.7, 1.0), (0, 1)))


def is_stand_in(module):
    """Whether a module is ours, under whatever name it was imported."""
    return 'mmuniformer' in module.__name__


def boxes(rng, count, size):
    """Boxes around an image, some without width or area."""
    start = rng.uniform(-0.1 * size, 1.1 * size, (count, 2))
    boxes = np.hstack([start, start + rng.uniform(0, 0.5 * size, (count, 2))])
    boxes[::7, 2] = boxes[::7, 0]
    boxes[::11, 2:] = boxes[::11, :2]
    return boxes.astype(np.float32)


def rois(rng, scale):
    """Regions for ``FEATURES``: random, on the border, outside, empty."""
    height, width = FEATURES[2:]
    edges = [
        [-1, -1, 5, 5],
        [-0.5, -0.5, width - 1, height - 1],
        [0, 0, width, height],
        [-9, -9, -3, -3],
        [width - 0.5, height - 0.5, 40, 40],
        [3, 3, 3, 3],
    ]
    some = np.vstack([boxes(rng, 8, 20), edges]) / scale
    image = rng.randint(0, FEATURES[0], (len(some), 1))
    return torch.from_numpy(np.hstack([image, some]).astype(np.float32))


def roi_align(ext, scale, ratio, aligned, seed=0, rounded=None, dtype=None):
    """Pooled features and their gradient for random upstream gradients.

    Inputs are ``rounded`` to a type, and then given as ``dtype``.
    """
    rng = np.random.RandomState(seed)
    regions = rois(rng, scale)
    inputs = (
        torch.from_numpy(rng.standard_normal(FEATURES)),
        torch.from_numpy(rng.standard_normal((len(regions), 2, 7, 7))),
        regions,
    )
    x, grad_out, regions = (
        i.to(rounded or torch.float32).to(dtype or torch.float32)
        for i in inputs
    )
    out, grad = torch.zeros_like(grad_out), torch.zeros_like(x)
    unused = x.new_zeros(0)
    settings = dict(
        aligned_height=7,
        aligned_width=7,
        spatial_scale=scale,
        sampling_ratio=ratio,
        pool_mode=1,
        aligned=aligned,
    )
    ext.roi_align_forward(x, regions, out, unused, unused, **settings)
    ext.roi_align_backward(grad_out, regions, unused, unused, grad, **settings)
    return out, grad


def scored_boxes(seed, integer=False, ties=False):
    """Up to 200 boxes; whole numbers meet a threshold exactly."""
    rng = np.random.RandomState(seed)
    count = rng.randint(1, 200)
    some = boxes(rng, count, rng.randint(20, 300))
    scores = rng.permutation(count) / count
    if ties:
        scores = (scores * 5).round() / 5
    some = torch.from_numpy(some.round() if integer else some)
    return some, torch.from_numpy(scores.astype(np.float32))


def keypoint_set(seed, people=40, images=8):
    """A random COCO key-point data set and results near its truth."""
    rng = np.random.RandomState(seed)
    truth, results = [], []
    for i in range(people):
        x, y, w, h = rng.uniform((0, 0, 20, 20), (300, 300, 200, 250))
        points = np.stack(
            [
                rng.uniform(x, x + w, 17),
                rng.uniform(y, y + h, 17),
                rng.randint(0, 3, 17),
            ],
            axis=1,
        )
        points[:, 2] *= i % 9 != 3
        person = dict(image_id=int(rng.randint(images)), category_id=1)
        truth.append(
            dict(
                person,
                id=i,
                keypoints=points.ravel().tolist(),
                num_keypoints=int((points[:, 2] > 0).sum()),
                iscrowd=int(i % 13 == 5),
                area=0.6 * w * h,
                bbox=[x, y, w, h],
            )
        )
        points[:, :2] += rng.normal(0, rng.uniform(1, 0.1 * w), (17, 2))
        points[:, 2] = rng.uniform(0, 1, 17) * (i % 11 != 7)
        results.append(
            dict(
                person,
                keypoints=points.ravel().tolist(),
                score=float(rng.uniform()),
            )
        )
    category = dict(id=1, name='person', keypoints=[str(k) for k in range(17)])
    data = dict(
        images=[dict(id=i, width=600, height=600) for i in range(images)],
        annotations=truth,
        categories=[category],
    )
    return data, results


def keypoint_stats(coco, cocoeval, folder, seed, sigmas=None, use_area=True):
    """The ten numbers of the key-point evaluation, as mmpose asks for them."""
    import json

    data, results = keypoint_set(seed)
    (folder / 'truth.json').write_text(json.dumps(data))
    (folder / 'results.json').write_text(json.dumps(results))
    truth = coco.COCO(str(folder / 'truth.json'))
    found = truth.loadRes(str(folder / 'results.json'))
    run = cocoeval.COCOeval(truth, found, 'keypoints', sigmas, use_area)
    run.params.useSegm = None
    run.evaluate()
    run.accumulate()
    run.summarize()
    return run.stats


def batched_nms(split):
    """Class-wise suppression of mmcv, with whatever operators it has."""
    from mmcv.ops import batched_nms

    some, scores = scored_boxes(7)
    classes = torch.arange(len(some)) % 5
    settings = dict(type='nms', iou_threshold=0.4, split_thr=split)
    return batched_nms(some, scores, classes, settings)


KEYPOINT_CASES = [
    dict(),
    dict(use_area=False),
    dict(sigmas=np.linspace(0.02, 0.1, 17)),
]
