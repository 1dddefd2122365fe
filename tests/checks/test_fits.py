"""What a config says in two places fits, or is named before the first step."""

import sys

import pytest
import torch
from mmengine.config import Config, ConfigDict

from mmuniformer import tasks
from mmuniformer.checks import loops, models, schedules, widths
from mmuniformer.checks.findings import Findings
from mmuniformer.checks.samples import Data
from mmuniformer.engine.config import read_config
from mmuniformer.engine.ending import config_fault
from mmuniformer.errors import UserError

from .. import ROOT
from .common import (
    classification,
    detection,
    errors,
    joints_info,
    picture,
    pose,
    segmentation,
    warnings,
    write_coco,
    write_folders,
    write_label_maps,
)


@pytest.fixture
def folders(tmp_path):
    pytest.importorskip('mmpretrain')
    return classification(write_folders(tmp_path))


@pytest.fixture
def boxes(tmp_path):
    pytest.importorskip('mmdet')
    return detection(write_coco(tmp_path))


@pytest.fixture
def maps(tmp_path):
    pytest.importorskip('mmseg')
    return segmentation(write_label_maps(tmp_path))


def lines(check, *args):
    found = Findings()
    check(*args, found)
    return [one.line() for one in found]


@pytest.mark.parametrize(
    'recipe, change, wanted',
    [
        ('det/mask_rcnn_uniformer_s', dict(neck=dict(in_channels=[8] * 4)),
         'model.neck.in_channels=[64, 128, 320, 512]'),
        ('seg/upernet_uniformer_s', dict(auxiliary_head=dict(in_channels=5)),
         'model.auxiliary_head.in_channels=320'),
        ('seg/upernet_uniformer_s', dict(backbone=dict(out_indices=(0, 1))),
         ''),
        ('cls/uniformer_s', dict(head=dict(in_channels=256)),
         'model.head.in_channels=512'),
        ('cls/uniformer_s', dict(backbone=dict(out_indices=2)),
         'model.head.in_channels=320'),
        ('cls/uniformer_s', dict(backbone=dict(arch='none of ours')), ''),
        ('cls/uniformer_s', dict(head=dict(type='NobodyKnows')), ''),
    ],
)  # fmt: skip
def test_channels_that_do_not_fit(recipe, change, wanted):
    for host in ('mmpretrain', 'mmdet', 'mmseg'):
        pytest.importorskip(host)
    cfg = Config.fromfile(ROOT / f'configs/{recipe}.py')
    cfg.merge_from_dict(dict(model=change))
    got = lines(widths.check_widths, cfg)
    assert (len(got) == 1 and wanted in got[0]) if wanted else not got, got


def test_what_a_classifier_measures_in_training(folders):
    folders.model.head.update(cal_acc=True, topk=(1, 5))
    assert 'set model.head.topk=(1,)' in errors(folders)[0]


def test_predictions_that_go_nowhere(boxes, tmp_path):
    boxes.test_evaluator.format_only = True
    assert 'outfile_prefix does not say where' in errors(boxes, ('test',))[0]
    boxes.test_evaluator.outfile_prefix = str(tmp_path / 'out')
    assert not errors(boxes, ('test',))


def test_nothing_to_measure_by(boxes, tmp_path):
    boxes.val_evaluator.pop('ann_file')
    assert "keeps no 'instances'" in errors(boxes)[0]
    pipeline = boxes.val_dataloader.dataset.pipeline
    pipeline[-1].meta_keys = ('img_id', 'instances')
    assert not errors(boxes)


def test_people_are_kept_to_measure_by(tmp_path):
    pytest.importorskip('mmpose')
    cfg = pose(write_coco(tmp_path, joints=5))
    cfg.val_evaluator.pop('ann_file')
    assert not errors(cfg)


def test_schedules_by_epochs_in_iterations():
    def got(**scheduler):
        cfg = Config(
            dict(
                train_cfg=dict(by_epoch=False, max_iters=10),
                param_scheduler=scheduler,
                default_hooks=dict(checkpoint=dict(by_epoch=False)),
            )
        )
        return lines(schedules.check_schedule, cfg, None)

    assert 'would never change' in got(type='MultiStepLR', milestones=[8])[0]
    assert not got(type='MultiStepLR', milestones=[8], by_epoch=False)
    assert not got(type='ReduceOnPlateauLR', monitor='loss')
    assert not got(
        type='CosineAnnealingLR', T_max=10, convert_to_iter_based=True
    )


def test_checkpoints_by_epochs_in_iterations(maps):
    maps.default_hooks.checkpoint.pop('by_epoch')
    assert any('nothing is saved before its end' in w for w in warnings(maps))


def test_fewer_samples_by_indices():
    data = dict(type='CustomDataset', indices=3)
    assert loops.length(data, [Data(8)]) == 3
    assert loops.length(dict(data, indices=[4, 5]), [Data(8)]) == 2
    assert loops.length(dict(data, indices=9), [Data(8)]) == 8


def test_names_without_order(boxes):
    boxes.train_dataloader.dataset.metainfo = dict(classes={'cat', 'dog'})
    assert 'is a set' in errors(boxes, ('train',))[0]


def test_a_pipeline_that_packs_nothing(folders):
    folders.train_dataloader.dataset.pipeline.pop()
    assert 'has no step that packs' in errors(folders, ('train',))[0]


@pytest.mark.parametrize(
    'steps, good',
    [
        ([], True),
        ([dict(type='LoadImageFromFile')], False),
        ([dict(type='MyOwn')], True),
        ([dict(type='LoadImageFromFile'), dict(type='PackInputs')], True),
    ],
)
def test_what_packs(steps, good):
    pytest.importorskip('mmpretrain').datasets  # noqa: B018
    assert models.packs(steps, 'mmpretrain') is good


def test_label_maps_that_are_resized(maps):
    pipeline = maps.val_dataloader.dataset.pipeline
    names = [step.type for step in pipeline]
    pipeline.insert(1, pipeline.pop(names.index('LoadAnnotations')))
    assert any('wanted it behind Resize' in w for w in warnings(maps))


def test_the_pipeline_and_the_data_set_count_otherwise(maps):
    pipeline = maps.train_dataloader.dataset.pipeline
    pipeline[1].reduce_zero_label = True
    assert 'BaseSegDataset has False' in errors(maps, ('train',))[0]


def test_no_model():
    assert 'model=None: wanted a dict' in errors(Config(dict(a=1)), ())[0]


def test_a_config_of_classes_gets_the_scope_of_its_model():
    kind = type('Own', (), dict(__module__='mmseg.models.own'))
    cfg = Config(dict(model=dict(type=type('Mine', (kind,), {}))))
    tasks.find_scope(cfg)
    assert cfg.default_scope == 'mmseg'
    cfg = Config(dict(model=dict(type='A')))
    tasks.find_scope(cfg)
    assert 'default_scope' not in cfg


def fault(function):
    try:
        function()
    except Exception as error:
        return config_fault(error)


def test_what_a_library_refuses_when_it_is_built():
    from mmengine.registry import HOOKS, MODELS

    text = fault(lambda: HOOKS.build(dict(type='CheckpointHook', save_best=7)))
    assert text.startswith('config: CheckpointHook: AssertionError: ')

    class Own(torch.nn.Module):
        def __init__(self):
            raise ValueError('a bug of the user')

    assert fault(lambda: MODELS.build(ConfigDict(type=Own))) is None


def test_an_error_of_a_library_elsewhere_is_a_bug():
    assert fault(lambda: torch.ones(2) @ torch.ones(3)) is None
    assert fault(lambda: torch.nn.Linear(2, 2)(torch.ones(3))) is None


def test_the_first_reason_of_a_module_that_cannot_be_imported(tmp_path):
    path = tmp_path / 'own.py'
    path.write_text("custom_imports = dict(imports=['no_such_module'])\n")
    with pytest.raises(UserError, match="No module named 'no_such_module'"):
        read_config(path)


def test_a_config_that_is_based_on_itself(tmp_path):
    path = tmp_path / 'own.py'
    path.write_text("_base_ = './own.py'\n")
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(400)
    try:
        with pytest.raises(UserError, match='leads back to itself'):
            read_config(path)
    finally:
        sys.setrecursionlimit(limit)


def swaps(**joints):
    info = joints_info(5)
    for i, (name, swap) in enumerate(joints.items()):
        info['keypoint_info'][i].update(name=name, swap=swap)
    return info


@pytest.mark.parametrize(
    'joints, error, wanted',
    [
        (dict(nose='', left='right', right='left'), False, ''),
        (dict(left='right', right=''), True, "'left' has swap='right'"),
        (dict(left='nobody'), True, "cannot be read (KeyError: 'nobody')"),
        (dict(left_eye='', right_eye=''), False, "swap='right_eye' is meant"),
    ],
)
def test_joints_that_change_places(tmp_path, joints, error, wanted):
    pytest.importorskip('mmpose')
    cfg = pose(write_coco(tmp_path, joints=5))
    cfg.train_dataloader.dataset.metainfo = swaps(**joints)
    wrong = errors(cfg, ('train',))
    assert bool(wrong) is error
    got = [*wrong, *warnings(cfg, ('train',))]
    assert (wanted in got[0]) if wanted else not got, got


OBJECT = """<annotation><object><name>{}</name><bndbox><xmin>4</xmin>
<ymin>5</ymin><xmax>{}</xmax><ymax>9</ymax></bndbox></object></annotation>"""


@pytest.fixture
def voc(tmp_path):
    pytest.importorskip('mmdet')
    for i, name in enumerate(('cat', 'dog')):
        picture(tmp_path / f'JPEGImages/{i}.jpg')
        (tmp_path / 'Annotations').mkdir(exist_ok=True)
        path = tmp_path / f'Annotations/{i}.xml'
        path.write_text(OBJECT.format(name, 8))
    (tmp_path / 'train.txt').write_text('0\n1\n')
    cfg = detection(tmp_path)
    cfg.train_dataloader.dataset.pop('data_prefix')
    cfg.train_dataloader.dataset.update(
        type='VOCDataset', ann_file='train.txt',
        data_prefix=dict(sub_data_root=''),
    )  # fmt: skip
    return cfg


def of_voc(cfg, *names):
    cfg.train_dataloader.dataset.metainfo = dict(classes=names)
    return errors(cfg, ('train',))


def test_names_of_voc(voc):
    assert not of_voc(voc, 'cat', 'dog')
    assert not of_voc(voc, 'cat', 'bird')  # a choice of the classes
    assert "'dgo', which has 'dog'" in of_voc(voc, 'cat', 'dgo')[0]
    assert 'none of 2 objects' in of_voc(voc, 'a', 'b')[0]


def test_files_of_voc(voc, tmp_path):
    xml = tmp_path / 'Annotations/0.xml'
    xml.write_text(OBJECT.format('cat', 3))
    assert 'wanted xmin below xmax' in of_voc(voc, 'cat', 'dog')[0]
    xml.write_text('<annotation>')
    assert '0.xml' in of_voc(voc, 'cat', 'dog')[0]
    xml.unlink()
    assert '1 of the 2 XML files' in of_voc(voc, 'cat', 'dog')[0]
    (tmp_path / 'JPEGImages/1.jpg').unlink()
    assert '1 of the 2 pictures' in of_voc(voc, 'cat', 'dog')[0]
