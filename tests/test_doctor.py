"""``mmuniformer doctor``: what it reports of good and bad places."""

import json

import pytest
import torch

from mmuniformer import doctor
from mmuniformer.fast import processor


@pytest.fixture
def place(monkeypatch):
    """Versions of what is installed, and how programs end in it."""
    versions = dict.fromkeys(
        ('torch', 'mmcv-lite', 'mmpretrain', 'decord', 'mmdet', 'pycocotools'),
        '1.2',
    )
    ends = {doctor.ANSWERS: (0, '["setuptools lacks pkg_resources"]')}
    monkeypatch.setattr(doctor, 'version', lambda x: versions.get(x, ''))
    monkeypatch.setattr(
        doctor, 'run_python', lambda code, *args: ends.get(code, (0, ''))
    )
    return versions, ends


def report(capsys, *argv):
    with pytest.raises(SystemExit) as end:
        doctor.main(argv)
    return end.value.code, capsys.readouterr().out


def test_what_is_there_is_ready_and_what_is_not_is_no_fault(place, capsys):
    status, said = report(capsys)
    assert status == 0
    assert 'cls           ready: mmpretrain 1.2' in said
    assert 'video         absent: mmaction2 is missing' in said
    assert 'setuptools lacks pkg_resources' in said


def test_a_task_that_is_asked_for_and_absent_is_status_1(place, capsys):
    assert report(capsys, '--task', 'video')[0] == 1
    assert report(capsys, '--task', 'cls')[0] == 0


def test_a_host_without_what_it_needs_is_broken(place, capsys):
    del place[0]['pycocotools']
    status, said = report(capsys)
    assert status == 1
    assert 'det           broken: mmdet 1.2, but without pycocotools' in said
    assert 'pip install pycocotools' in said


def test_a_host_that_does_not_import_is_broken(place, capsys):
    place[1][doctor.PROBE] = 1, "ImportError: no name 'x'"
    status, said = report(capsys, '--task', 'cls')
    assert status == 1
    assert "mmpretrain 1.2 does not import: ImportError: no name 'x'" in said


def test_json_is_the_same_report(place, capsys):
    found = json.loads(report(capsys, '--json')[1])
    assert found['tasks']['cls']['state'] == 'ready'
    assert found['readers'] == ['decord']


def test_programs_run_by_this_python():
    assert doctor.run_python('print(1); print(2)') == (0, '2')
    status, said = doctor.run_python('raise SystemExit("no")')
    assert (status, said) == (1, 'no')


@pytest.mark.skipif(torch.cuda.is_available(), reason='has a GPU')
@pytest.mark.parametrize(
    ('flags', 'said'),
    [
        ((), 'nothing'),
        (('avx512_vnni',), 'int8 (--int8)'),
        (('amx_bf16',), 'bfloat16 (--half, --amp bf16)'),
    ],
)
def test_precisions_that_the_processor_has(monkeypatch, flags, said):
    there = frozenset(('avx2', *flags))
    monkeypatch.setattr(processor, 'flags', lambda: there)
    monkeypatch.setattr(
        torch.ops.mkldnn, '_is_mkldnn_bf16_supported', lambda: True
    )
    assert doctor.accelerator().endswith(f'sooner than float32: {said}')
