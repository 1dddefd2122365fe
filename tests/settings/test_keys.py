"""Short keys change every place that belongs to them, and nothing else."""

import pytest
from mmengine.config import Config

from mmuniformer import settings
from mmuniformer.errors import UserError
from mmuniformer.settings import on_load  # noqa: F401
from mmuniformer.settings.sizes import crop_share

from .. import ROOT

DET = 'det/mask_rcnn_uniformer_s'
DET_3X = 'det/mask_rcnn_uniformer_s_3x'
CLS = 'cls/uniformer_s'
SEG = 'seg/upernet_uniformer_s'
POSE = 'pose/topdown_uniformer_s_256x192'
VIDEO = 'video/uniformer_s_16x4_k400'


def changed(name, **keys):
    """A config with short keys."""
    cfg = Config.fromfile(ROOT / f'configs/{name}.py')
    for key, value in keys.items():
        settings.apply_one(cfg, key, value)
    return cfg


def found(value, field):
    """All values of a field, however deep."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == field:
                yield item
            yield from found(item, field)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from found(item, field)


def step(cfg, kind, split='test'):
    """A transform of a pipeline."""
    pipeline = cfg[f'{split}_dataloader'].dataset.pipeline
    return next(s for s in pipeline if s.type.split('.')[-1] == kind)


@pytest.mark.parametrize('name', [DET, POSE, SEG, CLS, VIDEO])
def test_no_path_stays_in_the_old_folder(name):
    before = Config.fromfile(ROOT / f'configs/{name}.py')
    old = before.train_dataloader.dataset.data_root.rstrip('/')
    cfg = changed(name, data_root='/mine')
    roots = set(found(cfg.to_dict(), 'data_root'))
    assert roots == {'/mine'}
    assert f"'{old}" not in str(cfg.to_dict())
    assert str(before.to_dict()).count(f"'{old}") == str(cfg.to_dict()).count(
        "'/mine"
    )


def test_files_of_evaluators_move_too():
    cfg = changed(POSE, data_root='/mine')
    name = '/mine/annotations/person_keypoints_val2017.json'
    assert cfg.val_evaluator.ann_file == cfg.test_evaluator.ann_file == name
    assert cfg.test_dataloader.dataset.bbox_file.startswith('/mine/person_')


def test_label_maps_move_too():
    cfg = changed('cls/uniformer_s_tl', data_root='/mine')
    reader = step(cfg, 'LoadTokenLabel', 'train')
    assert reader.folder == '/mine/label_top5_train_nfnet'


def test_data_in_several_folders():
    cfg = changed(DET)
    cfg.test_dataloader.dataset.data_root = 'other'
    with pytest.raises(UserError, match='several folders, data/coco, other'):
        settings.apply_one(cfg, 'data_root', '/mine')


def test_epochs_by_milestones():
    cfg = changed(DET, epochs=24)
    warmup, steps = cfg.param_scheduler
    assert cfg.train_cfg.max_epochs == 24
    assert (warmup.begin, warmup.end) == (0, 1001)
    assert (steps.begin, steps.end, list(steps.milestones)) == (
        0,
        24,
        [16, 22],
    )


@pytest.mark.parametrize(
    ('name', 'epochs', 'wanted'),
    [
        (CLS, 30, (30, 1)),
        (CLS, 600, (600, 10)),
        (VIDEO, 55, (55, 5)),
        ('cls/uniformer_s_tl', 31, (30, 1)),
    ],
)
def test_epochs_of_a_cosine(name, epochs, wanted):
    cfg = changed(name, epochs=epochs)
    (cosine,) = cfg.param_scheduler
    assert (cosine.epochs, cosine.warmup_epochs) == wanted
    assert cfg.train_cfg.max_epochs == epochs


def test_iterations():
    cfg = changed(SEG, iters=8000)
    warmup, poly = cfg.param_scheduler
    assert cfg.train_cfg.max_iters == cfg.train_cfg.val_interval == 8000
    assert cfg.default_hooks.checkpoint.interval == 8000
    assert (warmup.end, poly.end) == (76, 8001)


def test_fewer_epochs_than_between_validations():
    cfg = changed(POSE, epochs=3)
    assert cfg.train_cfg.val_interval == 3
    assert cfg.default_hooks.checkpoint.interval == 3


@pytest.mark.parametrize(
    ('name', 'key', 'wanted'),
    [
        (SEG, 'epochs', r'counts in iters; wanted iters \(--iters'),
        (DET, 'iters', r'counts in epochs; wanted epochs \(--epochs'),
    ],
)
def test_what_a_config_does_not_count_in(name, key, wanted):
    with pytest.raises(UserError, match=wanted):
        changed(name, **{key: 30})


def test_rate_follows_the_batch_size():
    cfg = changed(DET, batch_size=4)
    assert cfg.train_dataloader.batch_size == 4
    assert cfg.auto_scale_lr.enable and cfg.auto_scale_lr.base_batch_size == 16


def test_rate_follows_where_mmengine_would_not():
    cfg = changed(DET)
    cfg.auto_scale_lr = None
    settings.apply_one(cfg, 'batch_size', 8)
    assert cfg.optim_wrapper.optimizer.lr == pytest.approx(4e-4)


def test_the_same_batch_size_changes_nothing():
    assert not changed(DET, batch_size=2).auto_scale_lr.enable


def test_a_rate_as_it_is():
    cfg = changed(DET, batch_size=4, lr=0.5)
    assert cfg.optim_wrapper.optimizer.lr == 0.5
    assert not cfg.auto_scale_lr.enable


def test_frames():
    cfg = changed(VIDEO, frames=8, frame_interval=2)
    assert set(found(cfg.to_dict(), 'clip_len')) == {8}
    assert set(found(cfg.to_dict(), 'frame_interval')) == {2}


def test_classes():
    cfg = changed(SEG, num_classes=7)
    assert list(found(cfg.model.to_dict(), 'num_classes')) == [7, 7]
    cfg = changed(VIDEO, num_classes=7)
    assert list(found(cfg.model.to_dict(), 'num_classes')) == [7, 7]


def test_input_size_of_pictures():
    cfg = changed('cls/uniformer_s_tl', input_size=448)
    assert step(cfg, 'TokenLabelCrop', 'train').scale == 448
    assert step(cfg, 'TimmAutoAugment', 'train')['size'] == 448
    assert step(cfg, 'ResizeEdge').scale == 497
    assert step(cfg, 'CenterCrop').crop_size == 448
    assert cfg.model.head.label_size == 14


def test_input_size_of_detection():
    cfg = changed(DET_3X, input_size=400)
    assert tuple(step(cfg, 'Resize').scale) == (666, 400)
    choice = step(cfg, 'RandomChoice', 'train')
    assert list(choice.transforms[0][0].scales[0]) == [240, 666]
    assert list(choice.transforms[1][1].crop_size) == [192, 300]


def test_input_size_of_segmentation():
    cfg = changed(SEG, input_size=256)
    assert tuple(step(cfg, 'RandomCrop', 'train').crop_size) == (256, 256)
    assert tuple(step(cfg, 'RandomResize', 'train').scale) == (1024, 256)
    assert tuple(step(cfg, 'Resize').scale) == (1024, 256)
    assert tuple(cfg.model.data_preprocessor['size']) == (256, 256)
    scales = [tuple(s) for s in found(cfg.tta_pipeline, 'scale')]
    assert scales[2] == (1024, 256)


def test_input_size_of_key_points():
    cfg = changed(POSE, input_size=(384, 512))
    codec = dict(
        type='MSRAHeatmap',
        input_size=(384, 512),
        heatmap_size=(96, 128),
        sigma=4,
    )
    assert cfg.model.head.decoder == codec
    assert step(cfg, 'GenerateTarget', 'train').encoder == codec
    for split in ('train', 'val', 'test'):
        assert step(cfg, 'TopdownAffine', split).input_size == (384, 512)


@pytest.mark.parametrize(
    ('crop', 'resized', 'size', 'wanted'),
    [
        (224, 256, 128, 146),
        (224, 256, 160, 182),
        (224, 256, 192, 219),
        (224, 248, 384, 426),
        (224, 224, 100, 100),
    ],
)
def test_picture_that_a_crop_is_cut_from(crop, resized, size, wanted):
    """The sizes of the authors, from the one at 224 pixels."""
    assert int(size / crop_share(crop, resized)) == wanted


def test_named_pipelines_are_those_of_the_loaders():
    for name in (CLS, DET, SEG):
        cfg = changed(name, data_root='/mine', input_size=320)
        assert cfg.train_pipeline == cfg.train_dataloader.dataset.pipeline
        assert cfg.test_pipeline == cfg.test_dataloader.dataset.pipeline


@pytest.mark.parametrize(
    ('name', 'keys', 'wanted'),
    [
        (CLS, dict(epochs=0), 'epochs=0: wanted a positive int'),
        (CLS, dict(epochs='3'), "epochs='3': wanted a positive int"),
        (CLS, dict(batch_size=True), 'batch_size=True: wanted'),
        (CLS, dict(lr=-1), 'lr=-1: wanted a positive number'),
        (CLS, dict(lr=float('nan')), 'lr=nan: wanted'),
        (CLS, dict(frames=3), 'no transform with a clip_len to change'),
        (DET, dict(policy='v0'), 'no automatic augmentation to change'),
        (CLS, dict(input_size=(3, 4)), r'input_size=\(3, 4\): wanted'),
        (POSE, dict(input_size=256), r'wanted \(width, height\)'),
        (POSE, dict(input_size=(100, 128)), 'wanted multiples of 32'),
        (CLS, dict(codec=dict(sigma=1)), 'no encoder or decoder'),
        (CLS, dict(data_root=''), "data_root='': wanted a folder"),
    ],
)
def test_bad_values(name, keys, wanted):
    with pytest.raises(UserError, match=wanted):
        changed(name, **keys)
