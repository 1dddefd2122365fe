"""The data sets and metrics of the hosts on the toy layouts."""

import json

import numpy as np
import pytest
from mmengine.registry import DefaultScope

import mmuniformer  # noqa: F401 (answers to defects of the hosts)
from mmuniformer.toyworld import LAYOUTS, World, write_world
from mmuniformer.toyworld.ade import CLASSES

WORLD = World(size=160, images_train=8, images_val=24, seed=5)
_, VAL, BOXES = LAYOUTS['keypoints'].files


@pytest.fixture(scope='module')
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp('toyworld')
    write_world(folder, WORLD)
    return folder


def ade(out, folder='validation', **kwargs):
    dataset = pytest.importorskip('mmseg.datasets').ADE20KDataset
    with DefaultScope.overwrite_default_scope('mmseg'):
        return dataset(
            data_root=str(out / LAYOUTS['ade'].path),
            data_prefix=dict(
                img_path=f'images/{folder}',
                seg_map_path=f'annotations/{folder}',
            ),
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadAnnotations', reduce_zero_label=True),
                dict(type='PackSegInputs'),
            ],
            **kwargs,
        )


def test_classes_are_where_ade20k_has_them():
    module = pytest.importorskip('mmseg.datasets')
    names = module.ADE20KDataset.METAINFO['classes']
    assert len(names) == 150
    assert {name: 1 + names.index(name) for name in CLASSES} == CLASSES


@pytest.mark.parametrize('folder, n', [('training', 8), ('validation', 24)])
def test_ade20k_finds_all_pictures_and_their_classes(out, folder, n):
    dataset = ade(out, folder)
    assert len(dataset) == n
    found = set()
    for sample in dataset:
        labels = sample['data_samples'].gt_sem_seg.data
        assert labels.shape[1:] == sample['inputs'].shape[1:]
        found |= set(labels.unique().tolist())
    assert found <= {255, *(k - 1 for k in CLASSES.values())}
    assert {2, 12, 255} <= found  # sky, person, unlabelled


def test_a_perfect_segmentation_scores_100(out):
    dataset = ade(out, test_mode=True)
    metric = pytest.importorskip('mmseg.evaluation').IoUMetric()
    metric.dataset_meta = dataset.metainfo
    for sample in dataset:
        truth = sample['data_samples'].gt_sem_seg.data
        pair = {'gt_sem_seg': {'data': truth}, 'pred_sem_seg': {'data': truth}}
        metric.process({}, [pair])
    assert metric.evaluate(len(dataset))['mIoU'] == 100


def pose(out, **kwargs):
    return pytest.importorskip('mmpose.datasets').CocoDataset(
        data_root=str(out / 'coco'),
        data_mode='topdown',
        pipeline=[
            dict(type='mmpose.LoadImage'),
            dict(type='mmpose.GetBBoxCenterScale'),
            dict(type='mmpose.TopdownAffine', input_size=(192, 256)),
            dict(type='mmpose.PackPoseInputs'),
        ],
        **kwargs,
    )


def test_coco_pose_finds_the_labelled_people(out):
    name = VAL.replace('val', 'train')
    prefix = dict(img='train2017/')
    dataset = pose(out, ann_file=name, data_prefix=prefix)
    content = json.loads((out / 'coco' / name).read_text())
    limbs = dataset.metainfo['skeleton_links']
    skeleton = content['categories'][0]['skeleton']
    assert [[a + 1, b + 1] for a, b in limbs] == skeleton
    labelled = [a for a in content['annotations'] if a['num_keypoints']]
    assert len(dataset) == len(labelled) > 0
    for ann, sample in zip(labelled, dataset, strict=True):
        truth = sample['data_samples'].gt_instances
        joints = np.reshape(ann['keypoints'], (17, 3))
        assert np.allclose(truth.keypoints[0], joints[:, :2], atol=1e-4)
        assert ((truth.keypoints_visible[0] > 0) == (joints[:, 2] > 0)).all()
        assert sample['inputs'].shape == (3, 256, 192)


def test_true_joints_in_detected_boxes_score_high(out):
    """What a perfect network reaches by the published test recipe."""
    dataset = pose(
        out,
        ann_file=VAL,
        data_prefix=dict(img='val2017/'),
        bbox_file=str(out / 'coco' / BOXES),
        test_mode=True,
    )
    assert len(dataset) == len(json.loads((out / 'coco' / BOXES).read_text()))
    ann_file = out / 'coco' / VAL
    people: dict = {}
    for ann in json.loads(ann_file.read_text())['annotations']:
        people.setdefault(ann['image_id'], []).append(ann)
    metric = pytest.importorskip('mmpose.evaluation').CocoMetric(str(ann_file))
    metric.dataset_meta = dataset.metainfo
    for sample in dataset:
        sample = sample['data_samples']
        box = sample.gt_instances.bboxes[0]
        middle = (box[:2] + box[2:]) / 2

        def off(ann, middle=middle):
            x, y, wide, high = ann['bbox']
            return np.hypot(*(middle - (x + wide / 2, y + high / 2)))

        near = min(people.get(sample.img_id, []), key=off, default=None)
        if near is None:
            continue
        joints = np.reshape(near['keypoints'], (1, 17, 3))
        prediction = {
            'keypoints': joints[..., :2].astype(float),
            'keypoint_scores': np.ones((1, 17)),
            'bbox_scores': sample.gt_instances.bbox_scores,
        }
        metric.process(
            {},
            [
                {
                    **sample.metainfo,
                    'id': sample.id,
                    'pred_instances': prediction,
                    'gt_instances': sample.gt_instances.to_dict(),
                }
            ],
        )
    assert metric.evaluate(len(metric.results))['coco/AP'] > 0.8
