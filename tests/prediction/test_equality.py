"""Predictions of files are those that tools/test.py makes of a data set."""

import json
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope

from mmuniformer.prediction import predict

HOSTS = ('mmdet', 'mmseg', 'mmpose', 'mmpretrain', 'mmaction')
if not all(map(find_spec, HOSTS)):
    pytest.skip(f'needs {", ".join(HOSTS)}', allow_module_level=True)
# As the test of a recipe: the size of a batch changes the last bits.
EXACT = dict(fuse=False, workers=0)


@pytest.fixture
def records(work_dir, tmp_path):
    """JSON lines of a task, read back."""

    def run(task, sources, **options):
        options = dict(EXACT, **options)
        predict(
            str(work_dir(task)), sources, out=str(tmp_path), draw=False,
            **options,
        )  # fmt: skip
        lines = (tmp_path / 'predictions.jsonl').read_text().splitlines()
        return [json.loads(line) for line in lines]

    return run


def test_top_1_and_scores_of_classification(tested, records):
    scores, dumped, _ = tested('cls')
    paths = [sample['img_path'] for sample in dumped]
    found = records('cls', paths, top_k=8, batch=50)
    truth = [int(sample['gt_label']) for sample in dumped]
    right = [r['label'] == label for r, label in zip(found, truth)]
    assert 100 * sum(right) / len(right) == scores['accuracy/top1']
    for record, sample in zip(found, dumped):
        best = sample['pred_score'].sort(descending=True).values.tolist()
        assert [thing['score'] for thing in record['top']] == best


def test_boxes_and_masks_of_detection(tested, records):
    scores, dumped, cfg = tested('det')
    found = records('det', [s['img_path'] for s in dumped], batch=1)
    for record, sample in zip(found, dumped):
        things = sample['pred_instances']
        assert len(record['objects']) == len(things['scores']) > 0
        for place, thing in enumerate(record['objects']):
            assert thing['score'] == float(things['scores'][place])
            assert thing['box'] == things['bboxes'][place].tolist()
            code = dict(things['masks'][place])
            assert thing['mask']['counts'] == code['counts'].decode()
    for kind in ('bbox', 'segm'):
        ap = coco_ap(cfg.test_evaluator[0].ann_file, found, dumped, kind)
        assert round(ap, 3) == scores[f'coco/{kind}_mAP']


def coco_ap(file, found, dumped, kind):
    """AP of JSON lines, by pycocotools alone."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    truth = COCO(file)
    ids = {c['name']: c['id'] for c in truth.dataset['categories']}
    rows = []
    for record, sample in zip(found, dumped):
        for thing in record['objects']:
            x1, y1, x2, y2 = thing['box']
            row = dict(bbox=[x1, y1, x2 - x1, y2 - y1])
            if kind == 'segm':
                row = dict(segmentation=thing['mask'])
            rows.append(
                dict(
                    row,
                    image_id=sample['img_id'],
                    category_id=ids[thing['name']],
                    score=thing['score'],
                )
            )
    run = COCOeval(truth, truth.loadRes(rows), kind)
    run.params.maxDets = [100, 300, 1000]
    run.evaluate()
    run.accumulate()
    return float(
        np.mean(
            [
                v
                for v in run.eval['precision'][:, :, :, 0, -1].ravel()
                if v > -1
            ]
        )
    )


def test_miou_and_pixels_of_segmentation(tested, records):
    from pycocotools import mask as coco

    scores, dumped, _ = tested('seg')
    found = records('seg', [s['img_path'] for s in dumped], batch=1)
    meet, union = np.zeros(150), np.zeros(150)
    for record, sample in zip(found, dumped):
        labels = sample['pred_sem_seg']['data'][0].numpy()
        own = np.full(labels.shape, -1)
        for region in record['regions']:
            own[coco.decode(region['mask']) > 0] = region['label']
        assert (own == labels).all()
        truth = read_labels(sample['seg_map_path'])
        for label in range(150):
            a, b = (own == label) & (truth < 255), truth == label
            meet[label] += (a & b).sum()
            union[label] += (a | b).sum()
    iou = 100 * np.nanmean(meet[union > 0] / union[union > 0])
    assert round(iou, 2) == pytest.approx(scores['mIoU'], abs=0.011)


def read_labels(path):
    """A label map of ADE20K; 0 becomes 255, which counts for nothing."""
    import cv2

    return cv2.imread(path, cv2.IMREAD_UNCHANGED).astype(np.uint8) - np.uint8(
        1
    )


def test_key_points_of_pose(tested, records, tmp_path):
    _, dumped, _ = tested('pose')
    boxes = {}
    for sample in dumped:
        people = sample['pred_instances']
        row = [*people['bboxes'][0].tolist(), float(people['bbox_scores'][0])]
        boxes.setdefault(sample['img_path'], []).append(row)
    file = tmp_path / 'boxes.json'
    file.write_text(json.dumps(boxes))
    found = records('pose', list(boxes), boxes=str(file), batch=32)
    people = [person for record in found for person in record['people']]
    order = sorted(dumped, key=lambda s: list(boxes).index(s['img_path']))
    assert len(people) == len(order) > 0
    for person, sample in zip(people, order):
        points = sample['pred_instances']
        assert person['keypoints'] == points['keypoints'][0].tolist()
        own = np.float32(person['keypoint_scores'])
        assert (own == points['keypoint_scores'][0]).all()


def test_top_1_and_scores_of_clips(tested, records, cwd):
    scores, dumped, _ = tested('video')
    lines = (cwd / 'data/kinetics400/val.csv').read_text().split()
    paths = [f'data/kinetics400/val/{line.split(",")[0]}' for line in lines]
    found = records('video', paths, top_k=8, batch=50)
    truth = [int(line.split(',')[1]) for line in lines]
    right = [r['label'] == label for r, label in zip(found, truth)]
    assert sum(right) / len(right) == scores['acc/top1']
    for record, sample in zip(found, dumped):
        # Recognisers average logits, which are reported as probabilities.
        best = sample['pred_score'].softmax(-1).sort(descending=True)
        best = best.values.tolist()
        assert [thing['score'] for thing in record['top']] == best


@pytest.fixture(autouse=True)
def own_scope():
    """Runners set the scope of the process; the next test has its own."""
    with DefaultScope.overwrite_default_scope('mmengine'), torch.no_grad():
        yield
