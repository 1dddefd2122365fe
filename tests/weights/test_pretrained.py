"""What a backbone says about the weight file that it is given."""

import logging
import math

import pytest
import torch
from mmengine.logging import MMLogger

from mmuniformer.errors import UserError
from mmuniformer.models import UniFormer, UniFormerLight
from mmuniformer.weights import download
from mmuniformer.weights import load as weights

from .. import TINY
from ..published_files import classifier, mask_rcnn, zeros
from .weight_files import DEEP, changed, known, load, log_lines, published

log = pytest.fixture(log_lines)


@pytest.mark.parametrize('wrapper', ['model', 'state_dict', 'model_state', ''])
def test_weights_arrive_out_of_every_wrapper(tmp_path, wrapper):
    path, source = published(tmp_path, wrapper)
    state = load(path).state_dict()
    assert all(
        torch.equal(state[k], v) for k, v in source.state_dict().items()
    )


def test_log_says_what_matched_what_is_new_and_what_was_left_out(
    tmp_path, log
):
    path, _ = published(tmp_path)
    load(path, dense=True, out_indices=(0, 1, 2, 3))
    line = next(x for x in log().splitlines() if 'tiny_in1k.pth' in x)
    assert 'head_dim' in line
    assert 'new: norm1.weight' in line
    assert 'left out: norm.weight' in line


def test_detector_file_gives_its_backbone(tmp_path):
    _, source = published(tmp_path)
    path = tmp_path / 'detector.pth'
    state = {f'backbone.{k}': v for k, v in source.state_dict().items()}
    state['neck.lateral.weight'] = torch.ones(1)
    torch.save({'state_dict': state}, path)
    assert torch.equal(load(path).norm.weight, source.norm.weight)


@pytest.mark.parametrize('prefix', ['teacher.', 'teacher'])
def test_a_file_of_two_backbones_gives_the_one_that_is_asked_for(
    tmp_path, prefix
):
    _, source = published(tmp_path)
    state = source.state_dict()
    both = {f'student.{k}': torch.zeros_like(v) for k, v in state.items()}
    both.update({f'teacher.{k}': v for k, v in state.items()})
    path = tmp_path / 'distilled.pth'
    torch.save({'state_dict': both}, path)
    model = load(path, dict(prefix=prefix))
    assert torch.equal(model.norm.weight, source.norm.weight)


def test_a_tensor_that_is_not_finite(tmp_path):
    path, _ = published(tmp_path)
    changed(
        path, lambda state: state['blocks3.0.mlp.fc1.bias'].fill_(math.nan)
    )
    with pytest.raises(UserError, match=r'tiny_in1k\.pth.*mlp\.fc1\.bias'):
        load(path)


def test_nothing_matches(tmp_path):
    path = tmp_path / 'resnet.pth'
    torch.save({'conv1.weight': torch.ones(1)}, path)
    with pytest.raises(UserError, match=r'resnet\.pth.*conv1\.weight'):
        load(path)


def test_missing_stage(tmp_path):
    path, _ = published(tmp_path)

    def without(state):
        for name in [n for n in state if 'blocks3' in n]:
            del state[name]

    with pytest.raises(UserError, match=r'missing: blocks3\.0'):
        load(changed(path, without))


def test_a_part_on_request(tmp_path, log):
    path, source = published(tmp_path)
    changed(path, lambda state: state.pop('blocks3.0.attn.qkv.weight'))
    changed_again = [n for n in torch.load(path) if 'blocks4' in n]
    state = torch.load(path)
    torch.save(
        {k: v for k, v in state.items() if k not in changed_again}, path
    )
    model = load(path, dict(allow_partial=True))
    assert torch.equal(model.norm.weight, source.norm.weight)
    assert 'new: blocks3.0.attn.qkv.weight, blocks4.0' in log()


def test_one_missing_tensor_is_a_warning_that_names_it(tmp_path, caplog, log):
    path, _ = published(tmp_path, arch=DEEP)
    changed(path, lambda state: state.pop('blocks3.0.attn.qkv.weight'))
    load(path, arch=DEEP)
    record = caplog.records[0]
    assert record.levelno == logging.WARNING
    assert 'new: blocks3.0.attn.qkv.weight' in record.message


def test_extra_tensor_is_a_warning_that_names_it(tmp_path, caplog, log):
    path, _ = published(tmp_path)
    changed(path, lambda state: state.update(extra=torch.ones(1)))
    load(path)
    record = caplog.records[0]
    assert record.levelno == logging.WARNING
    assert 'left out: head.weight, head.bias, extra' in record.message


def test_transposed_tensor(tmp_path):
    path, _ = published(tmp_path)
    name = 'blocks3.0.attn.qkv.weight'
    changed(path, lambda state: state.update({name: state[name].T}))
    with pytest.raises(UserError, match=rf'{name}: \(24, 72\) in the file'):
        load(path)


def test_a_deeper_model_of_the_same_widths(tmp_path):
    """All that the model has is in the file, and the file has more."""
    path, _ = published(tmp_path, arch=DEEP)
    with pytest.raises(UserError, match=r'no place .* blocks1\.1\.pos_embed'):
        load(path)


def test_layer_scales_are_not_left_out(tmp_path):
    path, _ = published(tmp_path, layer_scale_init_value=0.1)
    with pytest.raises(UserError, match=r'no place .* blocks1\.0\.gamma_1'):
        load(path)


def test_new_layer_scales_on_request(tmp_path):
    path, _ = published(tmp_path)
    scales = dict(layer_scale_init_value=0.1)
    with pytest.raises(UserError, match=r'missing: blocks1\.0\.gamma_1'):
        load(path, **scales)
    model = load(path, dict(allow_partial='gamma_[12]'), **scales)
    assert model.blocks1[0].gamma_1.eq(0.1).all()


def test_another_size(tmp_path):
    path, _ = published(tmp_path)
    wider = dict(TINY, embed_dims=(8, 16, 32, 64))
    with pytest.raises(UserError, match=r'tiny_in1k\.pth.*differ in shape'):
        load(path, arch=wider)


def test_missing_file_is_named():
    with pytest.raises(UserError, match=r'nowhere\.pth'):
        load('nowhere.pth')


def test_other_initialisers_run_before_the_file(tmp_path):
    path, source = published(tmp_path)
    init = [
        dict(type='Pretrained', checkpoint=str(path)),
        dict(type='Constant', val=0.5, layer='LayerNorm'),
    ]
    model = UniFormer(TINY, dense=True, init_cfg=init)
    model.init_weights()
    assert model.norm4.weight.eq(0.5).all()
    assert torch.equal(
        model.blocks3[0].norm1.weight, source.blocks3[0].norm1.weight
    )


def test_linear_layers_start_as_the_authors_start_them():
    std = UniFormer('s').blocks3[0].attn.qkv.weight.std().item()
    assert std == pytest.approx(0.02, rel=0.02)


def test_download_error_says_where_to_put_the_file(tmp_path, monkeypatch):
    def fails(*args, **kwargs):
        raise OSError('no route')

    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    monkeypatch.setattr(download.urllib.request, 'urlopen', fails)
    with pytest.raises(UserError, match=r'checkpoints/w-url\w+\.pth'):
        load('https://example.org/w.pth')


def test_a_downloaded_file_is_not_downloaded_again(tmp_path, monkeypatch):
    path, source = published(tmp_path)
    (tmp_path / 'checkpoints').mkdir()
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    url = f'https://example.org/{path.name}?download=true'
    path.rename(download.cached_path(url))
    model = load(url)
    assert torch.equal(model.norm.weight, source.norm.weight)


def test_log_level_is_info(tmp_path, caplog):
    path, _ = published(tmp_path)
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    load(path)
    logger.removeHandler(caplog.handler)
    assert {r.levelno for r in caplog.records} == {logging.INFO}


@pytest.mark.parametrize('mode', ['average', 'centre'])
def test_video_model_starts_from_an_image_file(tmp_path, log, mode):
    path, source = published(tmp_path)
    model = load(path, dict(inflate=mode), ndim=3)
    weight = model.patch_embed1.proj.weight
    assert weight.shape[2] == 3
    # Four embeddings, twice six convolutions, three position embeddings.
    assert f'inflated: 19 ({mode})' in log()
    torch.testing.assert_close(weight.sum(2), source.patch_embed1.proj.weight)
    assert weight[:, :, 0].any() == (mode == 'average')


def test_averaged_weights_on_request(tmp_path):
    path, source = published(tmp_path)
    state = torch.load(path)['model']
    zero = {k: torch.zeros_like(v) for k, v in state.items()}
    torch.save({'model': zero, 'model_ema': state}, path)
    model = load(path, dict(ema=True))
    assert torch.equal(model.norm.weight, source.norm.weight)


def test_light_video_model_with_scales_starts_from_one_without(tmp_path):
    keys = classifier('xxs')
    path = known(tmp_path, 'uniformer_xxs_128_in1k', keys)
    model = load(
        path,
        dict(allow_partial='gamma_[12]'),
        UniFormerLight,
        arch='xxs',
        ndim=3,
        layer_scale_init_value=0.1,
    )
    assert model.blocks4[0].gamma_1.eq(0.1).all()
    assert not model.cls_upsample.weight.any()


def test_detection_starts_from_classification_with_new_norms_only(log):
    with torch.device('meta'):
        model = UniFormer('s', dense=True, out_indices=(0, 1, 2, 3))
    state = {k: v.to('meta') for k, v in zeros(classifier('s')).items()}
    match = weights.load_content(model, state, 'x.pth')
    assert {n.split('.')[0] for n in match.missing} == {
        'norm1',
        'norm2',
        'norm3',
        'norm4',
    }
    assert {n.split('.')[0] for n in match.unexpected} == {'norm', 'head'}


@pytest.mark.filterwarnings('ignore:.*meta parameter')
def test_classification_starts_from_detection(log):
    with torch.device('meta'):
        model = UniFormer('s')
    state = {k: v.to('meta') for k, v in zeros(mask_rcnn()).items()}
    with pytest.raises(UserError, match=r'missing: norm\.weight'):
        weights.load_content(model, state, 'x.pth')
    weights.load_content(model, state, 'x.pth', allow_partial=r'^norm\.')
    assert 'new: norm.weight' in log()
