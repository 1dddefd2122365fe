"""Bad data of segmentation ends a run in one line that names it."""

import shutil
from importlib.util import find_spec

import cv2
import pytest

from .. import ROOT
from .test_bad_data import last_line

pytestmark = pytest.mark.skipif(
    find_spec('mmseg') is None, reason='needs mmseg'
)
SEG = ROOT / 'configs/seg/fpn_uniformer_toy.py'
LABELS = 'annotations/training/ADE_train_00000003.png'


@pytest.fixture
def own_data(toy_data, tmp_path):
    """A copy of the toy world to spoil, where the tools look for it."""
    return shutil.copytree(
        toy_data / 'ade/ADEChallengeData2016',
        tmp_path / 'data/ade/ADEChallengeData2016',
    )


def test_a_head_for_other_classes(run_tool, own_data, tmp_path):
    options = ['--cfg-options', 'model.decode_head.num_classes=19']
    line = last_line(run_tool('train.py', SEG, *options, cwd=tmp_path))
    assert 'ADE20KDataset has 150 classes' in line
    assert 'set model.decode_head.num_classes=150' in line


def test_a_label_of_no_class(run_tool, own_data, tmp_path):
    path = own_data / LABELS
    labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    labels[:] = 200
    cv2.imwrite(str(path), labels)
    line = last_line(run_tool('train.py', SEG, cwd=tmp_path))
    assert LABELS in line and 'label 200' in line and '1 to 150' in line


def test_a_broken_label_map(run_tool, own_data, tmp_path):
    (own_data / LABELS).write_bytes(b'\x89PNG')
    line = last_line(run_tool('train.py', SEG, cwd=tmp_path))
    assert LABELS in line and 'cannot be read' in line
