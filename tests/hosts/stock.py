"""The hosts' stock models around our backbones, on the meta device."""

from importlib import import_module

import torch
from mmengine.config import Config, ConfigDict
from mmengine.registry import DefaultScope
from torch import nn

import mmuniformer  # noqa: F401

from .. import ROOT

BN = dict(type='BN')  # the recipes' SyncBN has the same names
DIMS = [64, 128, 320, 512]
BOXES = dict(type='DeltaXYWHBBoxCoder')


def uniformer(arch='s', light=False, **kwargs):
    kind = 'UniFormerLight' if light else 'UniFormer'
    return dict(type=f'mmuniformer.{kind}', arch=arch, **kwargs)


def dense(out_indices=(0, 1, 2, 3)):
    return uniformer(dense=True, out_indices=out_indices)


def build(scope, cfg):
    """A host's model on the meta device."""
    import_module(f'{scope}.models')
    registry = import_module(f'{scope}.registry').MODELS
    with DefaultScope.overwrite_default_scope(scope), torch.device('meta'):
        return registry.build(ConfigDict(cfg))


def image_classifier(backbone, dim=512, **more):
    model = build(
        'mmpretrain',
        dict(
            type='ImageClassifier',
            backbone=backbone,
            neck=dict(type='GlobalAveragePooling'),
            head=dict(type='LinearClsHead', num_classes=1000, in_channels=dim),
        ),
    )
    return with_layers(model.head, model, more)


def recognizer(backbone, dim=512, **more):
    model = build(
        'mmaction',
        dict(
            type='Recognizer3D',
            backbone=backbone,
            cls_head=dict(type='I3DHead', num_classes=400, in_channels=dim),
        ),
    )
    return with_layers(model.cls_head, model, more)


def with_layers(head, model, layers):
    """What our own heads add to the hosts' heads."""
    for name, shape in layers.items():
        head.add_module(name, nn.Linear(*shape, device='meta'))
    return model


def detector():
    path = ROOT / 'configs/det/mask_rcnn_uniformer_s.py'
    return Config.fromfile(path).model | dict(backbone=dense())


def cascade_detector():
    cfg = detector()
    head = dict(
        type='ConvFCBBoxHead',
        num_shared_convs=4,
        num_shared_fcs=1,
        num_classes=80,
        reg_class_agnostic=False,
        reg_decoded_bbox=True,
        norm_cfg=BN,
        bbox_coder=BOXES,
        loss_bbox=dict(type='GIoULoss', loss_weight=10.0),
    )
    roi_head = cfg['roi_head'] | dict(
        type='CascadeRoIHead',
        num_stages=3,
        stage_loss_weights=[1, 0.5, 0.25],
        bbox_head=[head] * 3,
    )
    return cfg | dict(type='CascadeRCNN', roi_head=roi_head, train_cfg=None)


def segmentor(**parts):
    return build('mmseg', dict(type='EncoderDecoder', **parts))


def fpn_segmentor():
    return segmentor(
        backbone=dense(),
        neck=dict(type='FPN', in_channels=DIMS, out_channels=256, num_outs=4),
        decode_head=dict(
            type='FPNHead',
            in_channels=[256] * 4,
            in_index=[0, 1, 2, 3],
            feature_strides=[4, 8, 16, 32],
            channels=128,
            num_classes=150,
            norm_cfg=BN,
        ),
    )


def upernet_segmentor():
    return segmentor(
        backbone=dense(),
        decode_head=dict(
            type='UPerHead',
            in_channels=DIMS,
            in_index=[0, 1, 2, 3],
            channels=512,
            num_classes=150,
            norm_cfg=BN,
        ),
        auxiliary_head=dict(
            type='FCNHead',
            in_channels=320,
            in_index=2,
            channels=256,
            num_convs=1,
            concat_input=False,
            num_classes=150,
            norm_cfg=BN,
        ),
    )


def pose_estimator():
    return build(
        'mmpose',
        dict(
            type='TopdownPoseEstimator',
            backbone=dense(out_indices=3),
            head=dict(
                type='HeatmapHead',
                in_channels=512,
                out_channels=17,
                deconv_out_channels=(256, 256, 256),
                deconv_kernel_sizes=(4, 4, 4),
            ),
        ),
    )


def light(**kwargs):
    return uniformer('xxs', light=True, with_cls_token=True, **kwargs)
