"""Bad data and bad weight files speak before any long work."""

import json
import urllib.error

import pytest
import torch
from mmengine.config import Config

from mmuniformer.checks import (
    data as data_checks,
)
from mmuniformer.checks import (
    weights as weight_checks,
)
from mmuniformer.errors import UserError
from mmuniformer.weights import download

pytest.importorskip('mmdet')


def config(root, **kwargs):
    dataset = dict(
        type='CocoDataset',
        data_root=str(root),
        ann_file='annotations/instances_train2017.json',
        data_prefix=dict(img='train2017/'),
    )
    wrapped = dict(type='RepeatDataset', times=2, dataset=dataset)
    return Config(
        dict(
            default_scope='mmdet',
            train_dataloader=dict(dataset=wrapped),
            model={},
            **kwargs,
        )
    )


def write_annotations(root, text):
    (root / 'annotations').mkdir()
    (root / 'train2017').mkdir()
    path = root / 'annotations/instances_train2017.json'
    path.write_text(text)
    return path


WHOLE = dict(images=[], annotations=[], categories=[])


def test_good_data_passes(toy_data):
    data_checks.check_data(config(toy_data / 'coco'), ('train',))


def test_no_data_folder_says_where_to_get_it(tmp_path):
    wanted = r'instances_train2017\.json.*cocodataset\.org.*make_toyworld'
    with pytest.raises(UserError, match=wanted):
        data_checks.check_data(config(tmp_path), ('train',))


def test_no_picture_folder(tmp_path):
    write_annotations(tmp_path, json.dumps(WHOLE))
    (tmp_path / 'train2017').rmdir()
    with pytest.raises(UserError, match='train2017'):
        data_checks.check_data(config(tmp_path), ('train',))


def test_cut_off_annotations(tmp_path):
    text = json.dumps(dict(WHOLE, images=[{'id': i} for i in range(50)]))
    write_annotations(tmp_path, text[:-100])
    with pytest.raises(UserError, match=r'train2017\.json.*broken'):
        data_checks.check_data(config(tmp_path), ('train',))


@pytest.mark.parametrize('text', ['[]', '{"images": []}', '3'])
def test_annotations_of_another_format(tmp_path, text):
    write_annotations(tmp_path, text)
    with pytest.raises(UserError, match='wanted COCO annotations'):
        data_checks.check_data(config(tmp_path), ('train',))


def test_truncated_checkpoint(tmp_path):
    path = tmp_path / 'epoch_1.pth'
    torch.save({'state_dict': {'w': torch.ones(99)}}, path)
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(UserError, match=r'epoch_1\.pth.*cut off'):
        weight_checks.check_checkpoint(str(path))


def test_a_damaged_model_to_start_from(tmp_path):
    path = tmp_path / 'epoch_1.pth'
    path.write_bytes(b'PK' + bytes(300))
    with pytest.raises(UserError, match=r'epoch_1\.pth'):
        weight_checks.check_load_from(Config(dict(load_from=str(path))))


def test_a_model_to_start_from_that_is_not_trained_yet(tmp_path):
    cfg = Config(dict(load_from=str(tmp_path / 'epoch_1.pth')))
    with pytest.raises(UserError, match=r'train them first.*load_from='):
        weight_checks.check_load_from(cfg)


def test_a_file_without_weights(tmp_path):
    path = tmp_path / 'log.pth'
    torch.save({'meta': {}, 'state_dict': {}}, path)
    with pytest.raises(UserError, match=r'log\.pth'):
        weight_checks.check_checkpoint(str(path))


def with_pretrained(root, checkpoint):
    cfg = config(root)
    init = dict(type='Pretrained', checkpoint=checkpoint)
    backbone = dict(type='mmuniformer.UniFormer', init_cfg=init)
    cfg.model = dict(backbone=backbone)
    return cfg


@pytest.fixture
def offline(monkeypatch, tmp_path):
    def fails(*args, **kwargs):
        raise urllib.error.URLError('no network')

    monkeypatch.setattr(download.urllib.request, 'urlopen', fails)
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))


URL = 'https://example.org/weights.pth'


def test_offline_on_real_data_is_an_error(tmp_path, offline):
    write_annotations(tmp_path, json.dumps(WHOLE))
    with pytest.raises(UserError, match=r'no network.*hub/checkpoints'):
        weight_checks.check_pretrained(with_pretrained(tmp_path, URL))


def test_offline_on_the_toy_world_goes_on_from_random_weights(
    toy_data, offline
):
    cfg = with_pretrained(toy_data / 'coco', URL)
    weight_checks.check_pretrained(cfg)
    assert cfg.model.backbone.init_cfg is None


def test_pretrained_path_is_checked_on_the_toy_world_too(toy_data):
    with pytest.raises(UserError, match=r'nowhere\.pth'):
        weight_checks.check_pretrained(
            with_pretrained(toy_data / 'coco', 'nowhere.pth')
        )


@pytest.mark.parametrize('goes_on', [dict(load_from='x.pth'), 'resume'])
def test_who_goes_on_needs_no_starting_weights(tmp_path, offline, goes_on):
    cfg = with_pretrained(tmp_path, URL)
    if goes_on == 'resume':
        (tmp_path / 'epoch_1.pth').touch()
        goes_on = dict(resume=True, work_dir=str(tmp_path))
    cfg.merge_from_dict(goes_on)
    weight_checks.check_pretrained(cfg)
    assert cfg.model.backbone.init_cfg is None


def test_a_run_that_begins_needs_them(tmp_path, offline):
    write_annotations(tmp_path, json.dumps(WHOLE))
    cfg = with_pretrained(tmp_path, URL)
    cfg.merge_from_dict(dict(resume=True, work_dir=str(tmp_path / 'none')))
    with pytest.raises(UserError, match='init_cfg'):
        weight_checks.check_pretrained(cfg)


def test_a_backbone_inside_a_detector_inside_a_model(tmp_path, offline):
    write_annotations(tmp_path, json.dumps(WHOLE))
    cfg = with_pretrained(tmp_path, URL)
    cfg.model = dict(detector=cfg.model)
    with pytest.raises(UserError, match='init_cfg'):
        weight_checks.check_pretrained(cfg)
