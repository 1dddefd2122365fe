"""Files of variants that shapes do not tell: refused, by name or note."""

import pytest

from mmuniformer.errors import UserError
from mmuniformer.models import UniFormerLight
from mmuniformer.weights import files

from .. import TINY
from ..published_files import classifier
from .weight_files import known, load, log_lines, published

log = pytest.fixture(log_lines)


def test_another_head_dim_of_a_published_file(tmp_path):
    path = known(tmp_path, 'uniformer_small_in1k', classifier('s'))
    with pytest.raises(
        UserError,
        match=r'published uniformer_small_in1k with head_dim=64, but the '
        r'model has head_dim=32: build it with head_dim=64, or set '
        r'check_variant=False',
    ):
        load(path, arch='s', head_dim=32, device='meta')


def test_head_dim_of_the_name_on_request(tmp_path, log):
    path = known(tmp_path, 'uniformer_small_in1k', classifier('s'))
    load(path, dict(check_variant=False), arch='s', head_dim=32)
    assert 'UniFormer (head_dim 32)' in log()


def test_token_labeling_has_other_head_dims(tmp_path, log):
    keys = classifier('s', aux=True)
    path = known(tmp_path, 'uniformer_small_tl_224', keys)
    with pytest.raises(UserError, match='build it with head_dim=32'):
        load(path, arch='s', device='meta')
    load(path, arch='s', head_dim=32)
    assert 'left out: head.weight, head.bias, aux_head.weight' in log()


@pytest.mark.parametrize(
    'name, arch, wanted',
    [
        ('uniformer_base_in1k', 's', r'depths=\(5, 8, 20, 7\).*arch=\'b\''),
        (
            'uniformer_small_plus_in1k',
            's',
            "'conv'.*arch='s_plus', head_dim=32",
        ),
        ('uniformer_base_ls_in1k', 'b', "layer_scale=.*arch='b_ls'"),
    ],
)
def test_another_size_of_a_published_file(tmp_path, name, arch, wanted):
    """The name is enough: the content is not looked at."""
    path = known(tmp_path, name, classifier('s'))
    with pytest.raises(UserError, match=wanted):
        load(path, arch=arch, device='meta')


def test_layer_scales_of_a_published_light_model(tmp_path):
    keys = classifier('xxs', 400, ndim=3, scaled='1234')
    path = known(tmp_path, 'uniformer_xxs4_128_k400', keys)
    with pytest.raises(UserError, match=r'with .*layer_scale_init_value=0\.1'):
        load(path, None, UniFormerLight, 'meta', arch='xxs', ndim=3)


def test_a_note_in_the_file_is_as_good_as_its_name(tmp_path):
    _, source = published(tmp_path)
    note = {'head_dim': 4}
    files.write(tmp_path / 'x.pth', source.state_dict(), note=note)
    with pytest.raises(UserError, match='build it with head_dim=4'):
        load(tmp_path / 'x.pth')
    assert load(tmp_path / 'x.pth', arch=dict(TINY, head_dim=4))


def test_a_changed_copy_of_a_published_file_is_said(tmp_path, caplog, log):
    path = known(tmp_path, 'uniformer_small_in1k', classifier('s'))
    load(path, arch='s')
    (record,) = [r for r in caplog.records if ': loaded ' in r.message]
    assert 'NOT the published uniformer_small_in1k' in record.message
    assert record.levelname == 'WARNING'


def test_a_published_size_of_another_class(tmp_path):
    path = known(tmp_path, 'uniformer_xxs_128_in1k', classifier('xxs'))
    with pytest.raises(UserError, match="'xxs', which is no size of UniF"):
        load(path, arch='s', device='meta')
