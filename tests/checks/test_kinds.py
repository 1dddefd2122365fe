"""Checks know whose data they read; the rest passes."""

import json

import pytest

from mmuniformer.checks import datasets, start
from mmuniformer.errors import UserError

from .common import (
    classification,
    config,
    detection,
    errors,
    joints_info,
    pose,
    segmentation,
    warnings,
    whole,
    write_coco,
    write_folders,
    write_label_maps,
)

pytest.importorskip('mmdet')
pytest.importorskip('mmseg')
pytest.importorskip('mmpose')
pytest.importorskip('mmpretrain')


@pytest.fixture
def coco(tmp_path):
    return write_coco(tmp_path)


def wrap(cfg, *kinds):
    """Puts the training data into wrappers, one around the other."""
    for kind, options in kinds:
        inner = cfg.train_dataloader.dataset
        many = kind in ('ConcatDataset', 'CombinedDataset')
        inner = dict(datasets=[inner]) if many else dict(dataset=inner)
        cfg.train_dataloader.dataset = dict(type=kind, **options, **inner)
    return cfg


DEEP = [
    [('RepeatDataset', dict(times=3))],
    [('ConcatDataset', {}), ('RepeatDataset', dict(times=3))],
    [
        ('ClassBalancedDataset', dict(oversample_thr=0.1)),
        ('ConcatDataset', {}),
        ('MultiImageMixDataset', dict(pipeline=[])),
    ],
]


@pytest.mark.parametrize('kinds', DEEP)
def test_wrapped_data_is_checked_and_passes(coco, kinds):
    assert not errors(wrap(detection(coco), *kinds))
    assert not warnings(wrap(detection(coco), *kinds))
    bad = wrap(detection(coco, ('cat', 'dgo')), *kinds)
    assert any("'dgo'" in line for line in errors(bad, ('train',)))


def test_subclasses_are_checked_and_other_readers_pass(coco):
    from mmdet.datasets import CocoDataset

    class Own(CocoDataset):
        METAINFO = dict(classes=('cat', 'dgo'))

    class Other(Own):
        def load_data_list(self):
            return []

    cfg = detection(coco)
    cfg.train_dataloader.dataset.pop('metainfo')
    cfg.train_dataloader.dataset.type = Own
    assert "'dgo'" in errors(cfg, ('train',))[0]
    cfg.train_dataloader.dataset.type = Other
    assert not errors(cfg, ('train',))


@pytest.mark.parametrize(
    'kind', ['CocoPanopticDataset', 'LVISV1Dataset', 'CrowdHumanDataset']
)
def test_json_of_others_passes(tmp_path, kind):
    cfg = detection(tmp_path)
    cfg.model.pop('roi_head')
    (tmp_path / 'train.json').write_text('[1]')
    cfg.train_dataloader.dataset.type = kind
    cfg.train_dataloader.dataset.pop('metainfo')
    assert not errors(cfg, ('train',))


def test_a_list_of_mpii_passes(tmp_path):
    cfg = pose(tmp_path)
    (tmp_path / 'train.json').write_text(json.dumps([dict(image='a.jpg')]))
    cfg.train_dataloader.dataset.update(type='MpiiDataset')
    assert not errors(cfg, ('train',))


def test_a_data_set_that_nobody_knows_passes(tmp_path):
    cfg = detection(tmp_path)
    cfg.train_dataloader.dataset.type = 'NobodyKnows'
    assert not errors(cfg, ('train',))


@pytest.mark.parametrize(
    'options',
    [
        dict(ann_file='http://nowhere.example/a.json', data_root=None),
        dict(ann_file='s3://bucket/a.json', data_root=None),
        dict(data_root='http://nowhere.example/'),
        dict(data_prefix=dict(img='https://nowhere.example/img/')),
        dict(backend_args=dict(backend='petrel')),
    ],
)
def test_data_of_other_backends_passes(tmp_path, options):
    cfg = detection(tmp_path)
    cfg.train_dataloader.dataset.update(options)
    assert not errors(cfg, ('train',))


def test_pictures_of_another_backend_pass(tmp_path):
    cfg = detection(tmp_path)
    step = cfg.train_dataloader.dataset.pipeline[0]
    step.backend_args = dict(backend='lmdb', db_path='a.lmdb')
    assert not errors(cfg, ('train',))


def test_pictures_to_predict_on(coco):
    content = json.loads((coco / 'val.json').read_text())
    del content['annotations']
    (coco / 'info.json').write_text(json.dumps(content))
    cfg = detection(coco)
    cfg.test_dataloader.dataset.ann_file = 'info.json'
    cfg.test_evaluator = dict(
        type='CocoMetric',
        ann_file=str(coco / 'info.json'),
        format_only=True,
        outfile_prefix='x',
    )
    assert not errors(cfg, ('test',))
    cfg.test_evaluator.format_only = False
    assert "no 'annotations'" in errors(cfg, ('test',))[0]


def test_joints_by_a_converter(tmp_path):
    write_coco(tmp_path, joints=5)
    cfg = pose(tmp_path)
    cfg.model.head.out_channels = 3
    assert 'has 5 joints' in errors(cfg, ('train',))[0]
    step = dict(type='KeypointConverter', num_keypoints=3, mapping=[(0, 0)])
    own = cfg.train_dataloader.dataset
    own.pipeline = [own.pipeline[0], step, *own.pipeline[1:]]
    assert not errors(cfg, ('train',))
    own.pipeline = [own.pipeline[0], *own.pipeline[2:]]
    cfg.train_dataloader.dataset = dict(
        type='CombinedDataset',
        metainfo=joints_info(3),
        datasets=[own, own],
        pipeline=[step],
    )
    assert not errors(cfg, ('train',))


def test_joints_in_more_fields(tmp_path):
    write_coco(tmp_path, joints=17)
    cfg = pose(tmp_path)
    cfg.model.head.out_channels = 133
    for split in ('train', 'val'):
        own = cfg[f'{split}_dataloader'].dataset
        own.type = 'CocoWholeBodyDataset'
        own.pop('metainfo')
    cfg.val_evaluator = dict(type='CocoWholeBodyMetric')
    assert not errors(cfg)


def test_joints_of_another_number(tmp_path):
    write_coco(tmp_path, joints=4)
    lines = errors(pose(tmp_path), ('train',))
    assert '12 numbers in keypoints, wanted 15' in lines[0]


def test_a_model_inside_another(coco):
    cfg = detection(coco)
    cfg.model = dict(type='SemiBaseDetector', detector=cfg.model)
    assert not errors(cfg)
    cfg.model.detector.roi_head.bbox_head.num_classes = 9
    line = errors(cfg)[0]
    assert 'model.detector.roi_head.bbox_head.num_classes=9' in line


def test_types_that_are_classes(tmp_path):
    from mmpretrain.datasets import CustomDataset
    from mmpretrain.evaluation import Accuracy

    cfg = classification(write_folders(tmp_path))
    for split in ('train', 'val'):
        cfg[f'{split}_dataloader'].dataset.type = CustomDataset
    cfg.val_evaluator = dict(type=Accuracy, topk=(1,))
    assert not errors(cfg)
    cfg.val_evaluator.topk = (1, 5)
    assert 'topk=(1, 5)' in errors(cfg)[0]


@pytest.mark.parametrize('names', ['cat', ('cat', 'cat'), ('cat', 3)])
def test_names_of_classes_that_are_none(coco, names):
    cfg = detection(coco)
    cfg.train_dataloader.dataset.metainfo = dict(classes=names)
    assert any('metainfo.classes' in x for x in errors(cfg, ('train',)))


def test_names_of_classes_in_a_file(coco):
    path = coco / 'names.txt'
    path.write_text('cat\ndog\n')
    cfg = detection(coco)
    cfg.train_dataloader.dataset.metainfo = dict(classes=str(path))
    assert not errors(cfg)


def test_splits_that_number_names_differently(coco):
    def swap(content):
        content['categories'] = content['categories'][::-1]

    write_coco(coco / 'b', edit=swap)
    cfg = detection(coco)
    cfg.val_dataloader.dataset.data_root = str(coco / 'b')
    cfg.val_evaluator.ann_file = str(coco / 'b/val.json')
    assert any('another order' in line for line in errors(cfg))


def test_the_evaluator_asks_for_masks_that_are_not_learned(coco):
    cfg = detection(coco)
    assert not errors(cfg)
    cfg.model.roi_head.pop('mask_head')
    assert 'no mask_head' in errors(cfg)[0]


def test_no_checks_checks_nothing(tmp_path):
    cfg = segmentation(tmp_path)
    with pytest.raises(UserError, match=r'--no-checks \(checks=False\) goes'):
        start.check(cfg, ('train', 'val'))
    cfg.checks = False
    start.check(cfg, ('train', 'val'))
    hooks = [*cfg.default_hooks.values(), *cfg.get('custom_hooks', [])]
    assert 'mmuniformer.LabelCheckHook' not in [h['type'] for h in hooks]


def test_one_process_of_a_machine_looks_at_files(tmp_path, monkeypatch):
    monkeypatch.setenv('LOCAL_RANK', '1')
    start.check(detection(tmp_path), ('train',))


def test_missing_pictures_are_counted(coco):
    (coco / 'img/3.png').unlink()
    lines = errors(detection(coco), ('train',))
    assert '1 of 4 pictures do not exist' in lines[0] and '3.png' in lines[0]


def test_all_good_data_of_each_task_passes(tmp_path):
    write_coco(tmp_path / 'pose', joints=5)
    cfgs = [
        pose(tmp_path / 'pose'),
        segmentation(write_label_maps(tmp_path / 'seg')),
        classification(write_folders(tmp_path / 'cls')),
        detection(write_coco(tmp_path / 'det')),
    ]
    for cfg in cfgs:
        assert not errors(cfg), cfg.default_scope
        assert not warnings(cfg), cfg.default_scope


def test_unwrapped_by_names():
    parts = dict(a=dict(type='A'), b=dict(type='B'))
    loader = dict(dataset=dict(type='Multi', datasets=parts))
    assert [d['type'] for d in datasets.unwrapped(loader)] == ['A', 'B']
    assert not list(datasets.unwrapped(dict(dataset=object())))
    assert not list(datasets.unwrapped(None))
    assert whole()['images'] and config('cls/uniformer_toy.py')


def test_masks_that_are_not_loaded(coco):
    cfg = detection(coco)
    for step in cfg.train_dataloader.dataset.pipeline:
        step.pop('with_mask', None)
    assert 'set with_mask=True' in errors(cfg)[0]
    cfg.model.roi_head.pop('mask_head')
    cfg.val_evaluator.metric = 'bbox'
    assert not errors(cfg)


def test_a_metric_that_the_data_cannot_give(tmp_path):
    write_coco(tmp_path / 'pose', joints=5)
    cfg = pose(tmp_path / 'pose')
    cfg.val_evaluator = dict(type='PCKAccuracy', norm_item=['bbox', 'head'])
    assert 'sizes of heads' in errors(cfg)[0]
    cfg = segmentation(write_label_maps(tmp_path / 'seg'))
    own = cfg.val_dataloader.dataset
    own.pipeline = [s for s in own.pipeline if s.type != 'LoadAnnotations']
    assert 'loads nothing to measure by' in errors(cfg)[0]
    cfg = classification(write_folders(tmp_path / 'cls'))
    cfg.model.head.type = 'MultiLabelLinearClsHead'
    assert 'one class for each picture' in errors(cfg)[0]


def test_a_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(write_folders(tmp_path / 'mine').parent))
    assert not errors(classification('~/mine'))


def test_labels_of_a_list_without_names(tmp_path):
    root = write_folders(tmp_path)
    (root / 'a.txt').write_text('a/0.jpg 1\nb/0.jpg 2\nc/0.jpg 3\n')
    cfg = classification(root, ann_file='a.txt', data_prefix='train')
    assert 'begin at 1' in errors(cfg, ('train',))[0]
