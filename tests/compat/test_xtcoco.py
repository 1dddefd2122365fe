"""Key-point evaluation on pycocotools gives the numbers of xtcocotools."""

import json
import subprocess
import sys

import numpy as np
import pytest

from . import cases

xtcoco = pytest.importorskip('mmuniformer.compat.xtcoco')


@pytest.mark.parametrize('i', range(len(cases.KEYPOINT_CASES)))
def test_numbers_equal_recorded(tmp_path, i):
    stats = cases.keypoint_stats(
        xtcoco, xtcoco, tmp_path, i, **cases.KEYPOINT_CASES[i]
    )
    wanted = np.load(cases.RECORD)[f'keypoints/{i}']
    np.testing.assert_allclose(stats, wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize('i', range(len(cases.KEYPOINT_CASES)))
def test_numbers_equal_xtcocotools(tmp_path, i):
    coco = pytest.importorskip('xtcocotools.coco')
    if cases.is_stand_in(coco):
        pytest.skip('xtcocotools is not installed')
    from xtcocotools import cocoeval

    for seed in range(3, 8):
        args = tmp_path, seed
        settings = cases.KEYPOINT_CASES[i]
        stats = cases.keypoint_stats(xtcoco, xtcoco, *args, **settings)
        wanted = cases.keypoint_stats(coco, cocoeval, *args, **settings)
        np.testing.assert_allclose(stats, wanted, rtol=0, atol=1e-12)


def test_truth_is_left_as_it_is(tmp_path):
    data, results = cases.keypoint_set(0)
    (tmp_path / 'truth.json').write_text(json.dumps(data))
    truth = xtcoco.COCO(str(tmp_path / 'truth.json'))
    run = xtcoco.COCOeval(truth, truth.loadRes(results), use_area=False)
    run.evaluate()
    assert [truth.anns[a['id']] for a in data['annotations']] == data[
        'annotations'
    ]


def test_no_results(tmp_path):
    data, _ = cases.keypoint_set(0)
    (tmp_path / 'truth.json').write_text(json.dumps(data))
    truth = xtcoco.COCO(str(tmp_path / 'truth.json'))
    run = xtcoco.COCOeval(truth, truth.loadRes([]))
    run.evaluate()
    run.accumulate()
    run.summarize()
    assert run.stats[0] == 0


def test_other_types_are_refused():
    with pytest.raises(NotImplementedError, match='keypoints_crowd'):
        xtcoco.COCOeval(iouType='keypoints_crowd')


def test_mmpose_finds_all_it_imports_when_xtcocotools_is_absent():
    """As on Python 3.12: the package itself is hidden."""
    pytest.importorskip('mmpose')
    code = """
import sys
from importlib.machinery import PathFinder
find = PathFinder.find_spec
PathFinder.find_spec = lambda name, path=None, target=None: (
    None if name.startswith('xtcocotools') else find(name, path, target))
import mmuniformer
from mmpose.evaluation.metrics.coco_metric import COCO, COCOeval
import mmpose.datasets
import xtcocotools.mask
print(COCO.__module__, COCOeval.__module__, xtcocotools.mask.__name__)
"""
    out = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', code],
        capture_output=True,
        text=True,
    )
    wanted = ['mmuniformer.compat.xtcoco'] * 2 + ['pycocotools.mask']
    assert out.stdout.split() == wanted, out.stderr
