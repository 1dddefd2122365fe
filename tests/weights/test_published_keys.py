"""The stand-ins for published files have the authors' keys and shapes."""

import pytest

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
    'keys, entries',
    [
        (classifier('s_plus', aux=True), 388),
        (classifier('b'), 687),
        (classifier('l', aux=True), 881),
        (classifier('xs'), 384),
    ],
)
def test_number_of_entries_of_sizes_without_a_record(keys, entries):
    assert len(keys) == entries
