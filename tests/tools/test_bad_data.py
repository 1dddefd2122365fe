"""Bad data of detection and pose ends a run in one line that names it."""

import json
import re
import shutil
from importlib.util import find_spec

import pytest

from .. import ROOT

DET = ROOT / 'configs/det/mask_rcnn_uniformer_toy.py'
POSE = ROOT / 'configs/pose/topdown_uniformer_toy.py'
pytestmark = pytest.mark.skipif(
    not (find_spec('mmdet') and find_spec('mmpose')),
    reason='needs mmdet and mmpose',
)


@pytest.fixture
def own_data(toy_data, tmp_path):
    """A copy of the toy world to spoil, where the tools look for it."""
    return shutil.copytree(toy_data / 'coco', tmp_path / 'data/coco')


def last_line(done):
    assert done.returncode == 2, done.stderr[-3000:]
    assert 'Traceback' not in done.stderr
    lines = [x for x in done.stderr.splitlines() if x.startswith('error: ')]
    assert len(lines) == 1, done.stderr[-3000:]
    return lines[0]


def test_no_detected_boxes(run_tool, own_data, tmp_path):
    shutil.rmtree(own_data / 'person_detection_results')
    line = last_line(run_tool('train.py', POSE, cwd=tmp_path))
    assert 'AP_H_56_person.json' in line and 'github.com/HRNet' in line


@pytest.mark.parametrize(
    'config, file, change, wanted',
    [
        (DET, 'instances', dict(category_id=99), 'category_id=99'),
        (POSE, 'person_keypoints', dict(keypoints=[0] * 54), '54 numbers'),
    ],
)
def test_wrong_annotation(
    run_tool, own_data, tmp_path, config, file, change, wanted
):
    path = own_data / f'annotations/{file}_train2017.json'
    content = json.loads(path.read_text())
    content['annotations'][3].update(change)
    path.write_text(json.dumps(content))
    line = last_line(run_tool('train.py', config, cwd=tmp_path))
    assert path.name in line and wanted in line


def test_a_broken_picture_in_one_of_two_processes(
    own_data, tmp_path, run_process
):
    """It is named and ends both, if that is wanted; the other one says so."""
    (own_data / 'train2017/000000000003.jpg').write_bytes(b'')
    done = run_process(
        'dist_train.sh', POSE, 2, '--no-checks', '--cfg-options',
        'train_dataloader.batch_size=1', 'bad_data.policy=stop',
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 2 and 'Traceback' not in done.stderr
    errors = re.findall('^error: .*', done.stderr, re.MULTILINE)
    assert sum('000000000003.jpg' in x for x in errors) == 1, done.stderr
    others = [x for x in errors if '000000000003.jpg' not in x]
    assert all('has lost another one' in x for x in others)
