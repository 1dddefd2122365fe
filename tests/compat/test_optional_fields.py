"""Annotation files without optional fields are indexed and measured."""

import json

import numpy as np
import pytest
import torch

import mmuniformer.compat  # noqa: F401

coco = pytest.importorskip('pycocotools.coco')


def index(tmp_path, **fields):
    one = dict(id=1, image_id=1, category_id=1, bbox=[2, 3, 4, 5], **fields)
    content = dict(
        images=[dict(id=1, width=20, height=10)],
        annotations=[one],
        categories=[dict(id=1, name='a')],
    )
    (tmp_path / 'a.json').write_text(json.dumps(content))
    return coco.COCO(str(tmp_path / 'a.json'))


def test_areas_and_flags_are_computed(tmp_path):
    ann = index(tmp_path).anns[1]
    assert ann['area'] == 20 and ann['iscrowd'] == 0
    ann = index(tmp_path, area=7, iscrowd=1).anns[1]
    assert ann['area'] == 7 and ann['iscrowd'] == 1
    ann = index(tmp_path, keypoints=[3, 3, 2, 0, 0, 0]).anns[1]
    assert ann['num_keypoints'] == 1 and ann['area'] == pytest.approx(10.6)


@pytest.mark.parametrize('fields', [{}, dict(segmentation=[])])
def test_an_object_without_mask_is_measured_by_its_box(tmp_path, fields):
    mask = index(tmp_path, **fields).annToMask(
        dict(image_id=1, bbox=[2, 3, 4, 5], **fields)
    )
    assert mask.sum() == 20 and mask[3:8, 2:6].all()


def test_results_without_info(tmp_path):
    truth = index(tmp_path)
    result = dict(image_id=1, category_id=1, bbox=[2, 3, 4, 5], score=1.0)
    assert truth.loadRes([result]).anns[1]['area'] == 20


def test_an_object_without_mask_trains_its_box_alone():
    pytest.importorskip('mmdet')
    from mmdet.datasets.transforms import LoadAnnotations
    from mmdet.models.roi_heads.mask_heads import FCNMaskHead
    from mmdet.structures.mask import BitmapMasks
    from mmengine.registry import init_default_scope
    from mmengine.structures import InstanceData

    init_default_scope('mmdet')  # a test before may have left another
    square = [[2, 2, 12, 2, 12, 12, 2, 12]]
    one = dict(bbox=[2, 2, 12, 12], bbox_label=0, ignore_flag=0)
    results = dict(
        ori_shape=(20, 20),
        instances=[
            dict(one, mask=square),
            dict(one),
            dict(one, mask=[[]]),
            dict(one, mask=[[2, 2, 12, 12]]),
        ],
    )
    loaded = LoadAnnotations(with_bbox=True, with_mask=True)(results)
    # A line is a damaged mask, which mmdet itself leaves out.
    assert loaded['gt_ignore_flags'].tolist() == [False, False, False, True]
    assert list(loaded['gt_masks'].areas > 0) == [True, False, False, False]

    head = FCNMaskHead(num_convs=0, in_channels=2, num_classes=1)
    boxes = torch.tensor([[2.0, 2, 12, 12]] * 2)
    masks = np.zeros((2, 20, 20), np.uint8)
    masks[0, 2:12, 2:12] = 1

    class Sampled:
        pos_priors = boxes
        pos_gt_labels = torch.zeros(2, dtype=torch.long)
        pos_assigned_gt_inds = torch.arange(2)

    def loss(preds):
        gt = InstanceData(bboxes=boxes, masks=BitmapMasks(masks, 20, 20))
        config = type('Config', (dict,), dict(mask_size=28))()
        config.update(mask_size=28)
        done = head.loss_and_target(preds, [Sampled], [gt], config)
        return done['loss_mask']['loss_mask']

    preds = torch.zeros(2, 1, 28, 28, requires_grad=True)
    value = loss(preds)
    value.sum().backward()
    assert preds.grad[0].abs().sum() > 0
    assert preds.grad[1].abs().sum() == 0
    masks[1] = masks[0]
    other = loss(preds)
    preds.grad = None
    other.sum().backward()
    assert preds.grad[1].abs().sum() > 0
