"""The stand-ins for published files have the authors' keys and shapes."""

import pytest
import torch

from mmuniformer.models import UniFormer, UniFormerLight

from ..golden import Golden
from ..published_files import SIZES, backbone, classifier

CASES = {
    'cls_s': classifier('s'),
    'cls_s_plus': classifier('s_plus'),
    'cls_b_ls': classifier('b_ls'),
    'cls_tl_s': classifier('s', aux=True),
    'cls_xxs': classifier('xxs'),
    'dense_s_global': backbone(**SIZES['s'], dense=True),
    'dense_xxs': backbone(**SIZES['xxs'], dense=True),
    'video_s': classifier('s', 400, ndim=3),
    'video_xxs': classifier('xxs', 400, ndim=3),
    'video_xxs_ls': classifier('xxs', 400, ndim=3, scaled='1234'),
}


@pytest.mark.parametrize('case', CASES)
def test_recorded_keys(case):
    assert CASES[case] == Golden(case).keys


@pytest.mark.parametrize(
    'arch, keys',
    [
        ('s_plus', classifier('s_plus', aux=True)),
        ('b', classifier('b')),
        ('l', classifier('l', aux=True)),
        ('xs', classifier('xs')),
    ],
)
def test_sizes_without_a_record_have_the_keys_of_the_model(arch, keys):
    with torch.device('meta'):
        model = (
            UniFormerLight(arch, with_cls_token=True)
            if arch in UniFormerLight.archs
            else UniFormer(arch)
        )
    own = [(name, tuple(v.shape)) for name, v in model.state_dict().items()]
    assert [key for key in keys if 'head' not in key[0]] == own
