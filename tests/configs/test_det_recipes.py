"""The detection recipes against the values of the official configs."""

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import TRANSFORMS, init_default_scope
from torch import nn

from mmuniformer.analysis.complexity import flops_by_part

from .. import ROOT
from .common import build_backbone, load, parameter_groups, plain, table

TASKS = ('det',)


def test_detector(cfg, row):
    assert cfg.model.type == row['detector']


def test_frozen_statistics_take_two_lines(tmp_path):
    lines = (
        "_base_ = 'configs/det/mask_rcnn_uniformer_s.py'",
        'model = dict(backbone=dict(norm_eval=True))',
    )
    base = ROOT / 'configs/det/mask_rcnn_uniformer_s.py'
    assert '\n    '.join(lines) in base.read_text()
    path = tmp_path / 'frozen.py'
    path.write_text('\n'.join(lines).replace('configs', f'{ROOT}/configs'))
    backbone = build_backbone(Config.fromfile(path)).train()
    norms = [m for m in backbone.modules() if isinstance(m, nn.BatchNorm2d)]
    assert norms and not any(norm.training for norm in norms)


def test_input(cfg, row):
    preprocessor = cfg.model.data_preprocessor
    assert preprocessor.pad_size_divisor == row['pad_to']


def test_neck_and_anchors(cfg, backbone):
    neck, rpn = cfg.model.neck, cfg.model.rpn_head
    assert neck.in_channels == list(backbone.arch.embed_dims)
    assert (neck.out_channels, neck.num_outs) == (256, 5)
    assert rpn.anchor_generator == dict(
        type='AnchorGenerator',
        scales=[8],
        ratios=[0.5, 1.0, 2.0],
        strides=[4, 8, 16, 32, 64],
    )


def test_proposals(cfg, row):
    train, test = cfg.model.train_cfg, cfg.model.test_cfg
    assert cfg.model.rpn_head.loss_bbox == row['rpn_loss']
    assert train.rpn.allowed_border == row['allowed_border']
    assigner, sampler = train.rpn.assigner, train.rpn.sampler
    assert (assigner.pos_iou_thr, assigner.neg_iou_thr) == (0.7, 0.3)
    assert (sampler.num, sampler.pos_fraction) == (256, 0.5)
    for stage, counts in (
        (train.rpn_proposal, row['proposals']),
        (test.rpn, [1000, 1000]),
    ):
        assert [stage.nms_pre, stage.max_per_img] == counts
        assert stage.nms == dict(type='nms', iou_threshold=0.7)


def stages(cfg, value):
    """What a cascade has a list of, always as a list."""
    return value if cfg.model.type == 'CascadeRCNN' else [value]


def test_box_heads(cfg, row):
    heads = stages(cfg, cfg.model.roi_head.bbox_head)
    assert [h.bbox_coder.target_stds for h in heads] == row['deltas']
    assert cfg.model.roi_head.get('stage_loss_weights') == row['stage_weights']
    for head in heads:
        assert head.type == row['box_head']
        assert head.loss_bbox == row['box_loss']
        assert head.get('norm_cfg', {}).get('type') == row['box_norm']
        assert head.get('reg_decoded_bbox', False) == row['decoded']
        assert not head.reg_class_agnostic
        assert (head.num_classes, head.fc_out_channels) == (80, 1024)
        assert head.loss_cls.loss_weight == 1.0


def test_samples_of_the_box_heads(cfg, row):
    stage_cfgs = stages(cfg, cfg.model.train_cfg.rcnn)
    overlaps = [stage.assigner.pos_iou_thr for stage in stage_cfgs]
    assert overlaps == row['overlaps']
    for stage in stage_cfgs:
        assigner, sampler = stage.assigner, stage.sampler
        assert assigner.neg_iou_thr == assigner.pos_iou_thr
        assert (sampler.num, sampler.pos_fraction) == (512, 0.25)
        assert sampler.add_gt_as_proposals


def test_regions(cfg):
    head = cfg.model.roi_head
    assert head.bbox_roi_extractor.roi_layer.output_size == 7
    assert head.mask_roi_extractor.roi_layer.output_size == 14
    assert (head.mask_head.type, head.mask_head.num_convs) == (
        'FCNMaskHead',
        4,
    )


def test_detections(cfg):
    test = cfg.model.test_cfg.rcnn
    assert (test.score_thr, test.max_per_img) == (0.05, 100)
    assert test.nms == dict(type='nms', iou_threshold=0.5)


def test_optimizer_groups(cfg, row, backbone):
    """No decay where the name contains 'norm', and only there."""
    model = nn.ModuleDict(dict(backbone=backbone, bn=nn.BatchNorm2d(2)))
    groups = parameter_groups(cfg.optim_wrapper, model)
    assert groups == {
        name: (row['lr'], 0.0 if 'norm' in name else row['weight_decay'])
        for name in groups
    }


@pytest.mark.parametrize(
    'name',
    [
        'backbone.cls_token',
        'backbone.patch_embed1.proj.1.weight',
        'backbone.patch_embed1.proj.4.bias',
        'backbone.blocks1.0.pos_embed.bias',
        'bn.weight',
    ],
)
def test_what_the_recipes_decay_although_others_would_not(name):
    cfg = load('det', 'mask_rcnn_uniformer_xxs')
    parts = dict(backbone=build_backbone(cfg), bn=nn.BatchNorm2d(2))
    groups = parameter_groups(cfg.optim_wrapper, nn.ModuleDict(parts))
    assert groups[name] == (1e-4, 0.05)


def test_images_per_step(cfg, row):
    assert cfg.train_dataloader.batch_size * 8 == row['images_per_step']
    assert cfg.auto_scale_lr.base_batch_size == row['images_per_step']


def test_evaluation(cfg, row):
    assert cfg.train_cfg.val_interval == row['val_interval']
    assert cfg.test_evaluator.metric == row['metrics']


def test_test_scale(cfg, row):
    resize = cfg.test_dataloader.dataset.pipeline[1]
    assert (resize.type, resize.keep_ratio) == ('Resize', True)
    assert list(resize.scale) == row['test_scale']


def test_training_pipeline(cfg, row):
    flip = dict(type='RandomFlip', prob=row['flip'])
    if row['pipeline'] == '1x':
        scale = row['train_scale']
        wanted = [dict(type='Resize', scale=scale, keep_ratio=True), flip]
    else:

        def resize(short_sides):
            scales = [[side, row['long_side']] for side in short_sides]
            return dict(
                type='RandomChoiceResize', scales=scales, keep_ratio=True
            )

        crop = dict(
            type='RandomCrop',
            crop_type='absolute_range',
            crop_size=row['crop'],
            allow_negative_crop=True,
        )
        last = resize(row['short_sides'])
        first = resize(row['short_sides_before_crop'])
        branches = [[last], [first, crop, last]]
        wanted = [flip, dict(type='RandomChoice', transforms=branches)]
    pipeline = plain(cfg.train_dataloader.dataset.pipeline)
    assert pipeline[2:-1] == wanted
    assert pipeline[1] == dict(
        type='mmuniformer.LoadAnnotations', with_bbox=True, with_mask=True
    )


def test_pictures_of_the_3x_pipeline():
    pytest.importorskip('mmdet')
    cfg = load('det', 'mask_rcnn_uniformer_s_3x')
    init_default_scope(cfg.default_scope)
    choice = TRANSFORMS.build(cfg.train_dataloader.dataset.pipeline[3])
    picture = np.zeros((48, 64, 3), np.uint8)
    np.random.seed(0)
    sizes = [choice(dict(img=picture.copy()))['img_shape'] for _ in range(60)]
    row = table('det')['mask_rcnn_uniformer_s_3x']
    allowed, long = set(row['short_sides']), row['long_side']
    assert all(min(s) in allowed or max(s) == long for s in sizes)
    cropped = [s for s in sizes if abs(max(s) / min(s) - 4 / 3) > 0.02]
    assert 10 < len(cropped) < 45


def test_published_flops(model, row):
    if not row['gflops']:
        pytest.skip('none published')
    total = sum(flops_by_part(model, (800, 1280)).values())
    assert total / 1e9 == pytest.approx(row['gflops'], rel=0.01)
