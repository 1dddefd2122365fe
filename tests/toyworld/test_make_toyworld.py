"""The command line ``tools/make_toyworld.py``."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / 'tools' / 'make_toyworld.py'
FEW = ['--images-train', '4', '--images-val', '2', '--size', '64']


@pytest.fixture(scope='module')
def main():
    return runpy.run_path(str(TOOL))['main']


def test_it_runs_from_the_root_of_the_repository(tmp_path):
    command = [sys.executable, 'tools/make_toyworld.py', *FEW]
    command += ['--out', str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 'toy world of 6 pictures, written' in done.stdout
    assert len(list(tmp_path.glob('coco/train2017/*.jpg'))) == 4


def test_help_says_that_it_is_a_stand_in(main, capsys):
    with pytest.raises(SystemExit) as end:
        main(['--help'])
    assert end.value.code == 0
    assert 'stand-in for COCO' in capsys.readouterr().out


@pytest.mark.parametrize(
    'argument, value, wanted',
    [
        ('--size', '63', 'integer from 64'),
        ('--size', 'big', 'integer from 64'),
        ('--images-train', '-1', 'integer from 1'),
        ('--images-val', '0', 'integer from 1'),
        ('--seed', '-1', 'integer from 0'),
        ('--layouts', 'voc', 'coco'),
    ],
)
def test_a_bad_argument_is_one_line(
    main, capsys, tmp_path, argument, value, wanted
):
    with pytest.raises(SystemExit) as end:
        main([argument, value, '--out', str(tmp_path / 'data')])
    error = capsys.readouterr().err
    assert end.value.code == 2
    assert error.count('\n') == 1
    assert argument in error and value in error and wanted in error
    assert not (tmp_path / 'data').exists()


def test_layouts_are_written_as_asked_and_all_by_default(
    main, capsys, tmp_path
):
    few = [*FEW, '--out', str(tmp_path)]
    assert main([*few, '--layouts', 'ade']) == 0
    assert [path.name for path in tmp_path.iterdir()] == ['ade']
    capsys.readouterr()
    assert main([*few]) == 0
    lines = [x for x in capsys.readouterr().out.splitlines() if ':' in x]
    for line, name, end in zip(
        lines,
        ('coco', 'keypoints', 'ade', 'imagenet'),
        (' s', ' s', 'already complete', ' s'),
        strict=True,
    ):
        assert f': {name}, toy world of 6' in line and line.endswith(end)


def test_a_second_run_says_that_all_is_there(main, capsys, tmp_path):
    for text in ('written', 'already complete'):
        assert main([*FEW, '--out', str(tmp_path)]) == 0
        assert text in capsys.readouterr().out


def test_data_of_another_origin_is_one_line_and_status_1(
    main, capsys, tmp_path
):
    (tmp_path / 'coco').mkdir()
    (tmp_path / 'coco' / 'mine.txt').write_text('mine')
    assert main([*FEW, '--out', str(tmp_path), '--force']) == 1
    error = capsys.readouterr().err
    assert error.count('\n') == 1 and 'mine.txt' in error
