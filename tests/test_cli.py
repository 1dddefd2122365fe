"""The command ``mmuniformer`` finds scripts and configs by their names."""

import runpy
import subprocess
import sys

import pytest

from mmuniformer import cli
from mmuniformer.errors import UserError
from mmuniformer.weights import addresses

from . import ROOT


@pytest.fixture
def started(monkeypatch):
    """Scripts that would be started, with their arguments."""
    calls = []
    monkeypatch.setattr(sys, 'argv', ['mmuniformer'])
    monkeypatch.setattr(sys, 'path', list(sys.path))
    monkeypatch.setattr(
        runpy,
        'run_path',
        lambda path, **_: calls.append([path, *sys.argv[1:]]),
    )
    monkeypatch.setattr(
        cli.os, 'execvp', lambda name, args: calls.append(args[1:])
    )
    return calls


def test_every_script_is_there():
    scripts = [c.script for c in cli.COMMANDS.values() if c.script]
    missing = [s for s in scripts if not (cli.TOOLS / s).is_file()]
    assert missing == []


def test_a_config_by_its_name(started):
    cli.main(['train', 'det/mask_rcnn_uniformer_b', '--work-dir', 'x'])
    (script, config, *options) = started[0]
    assert script == str(cli.TOOLS / 'train.py')
    assert (ROOT / 'configs/det/mask_rcnn_uniformer_b.py').samefile(config)
    assert options == ['--work-dir', 'x']


def test_a_file_goes_before_a_name(started, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'cls').mkdir()
    (tmp_path / 'cls/uniformer_s').touch()
    cli.main(['train', 'cls/uniformer_s'])
    assert started[0][1] == 'cls/uniformer_s'


@pytest.mark.parametrize('option', [['--gpus', '8'], ['--gpus=8']])
def test_gpus_start_processes(started, option):
    cli.main(['test', 'cls/uniformer_s', 'x.pth', *option, '--tta'])
    script, _, *rest = started[0]
    assert script == str(cli.TOOLS / 'dist_test.sh')
    assert rest == ['x.pth', '8', '--tta']


@pytest.mark.parametrize(
    'args, said',
    [
        (['trian'], 'train'),
        (['train', 'det/mask_rcn_uniformer_b'], 'det/mask_rcnn_uniformer_b'),
        (['train', 'cls/uniformer_s', '--gpus'], 'wanted a number'),
        (['analysis', 'complexty'], 'complexity'),
        (['run', 'no_such.py'], 'no such file'),
        (['completion', 'csh'], 'bash, zsh, fish'),
    ],
)
def test_one_line_with_what_was_meant(args, said, capsys):
    with pytest.raises(SystemExit) as error:
        cli.main(args)
    printed = capsys.readouterr().err
    assert error.value.code == 2
    assert printed.startswith('error: ') and printed.count('\n') == 1
    assert said in printed


def test_anyones_script_runs_with_its_arguments(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, 'argv', [])
    monkeypatch.setattr(sys, 'path', list(sys.path))
    (tmp_path / 'beside.py').write_text('VALUE = 3\n')
    script = tmp_path / 'script.py'
    script.write_text(
        'import sys, beside\nprint(__name__, sys.argv[1:], beside.VALUE)\n'
    )
    cli.main(['run', str(script), '--a', 'b'])
    assert capsys.readouterr().out == "__main__ ['--a', 'b'] 3\n"


def test_option_without_a_value():
    with pytest.raises(UserError, match='--gpus'):
        cli.take_option(['--gpus'], '--gpus')


@pytest.mark.parametrize(
    'line, wanted',
    [
        ('mmuniformer tr', {'train'}),
        ('mmuniformer train --wor', {'--work-dir'}),
        (
            'mmuniformer train cls/uniformer_l',
            {'cls/uniformer_l_tl', 'cls/uniformer_l_tl_384'},
        ),
        (
            'mmuniformer download cascade_mask_rcnn_3x_ms_hybrid_b',
            {'cascade_mask_rcnn_3x_ms_hybrid_base'},
        ),
        ('mmuniformer analysis compl', {'complexity'}),
    ],
)
def test_bash_completes(line, wanted, capsys):
    cli.main(['completion', 'bash'])
    words = line.split()
    ask = (
        f'{capsys.readouterr().out}\nCOMP_WORDS=({line})\n'
        f'COMP_CWORD={len(words) - 1}\n_mmuniformer\n'
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    said = subprocess.check_output(['bash', '-c', ask], text=True)
    assert set(said.split()) == wanted


@pytest.mark.parametrize('shell', ['zsh', 'fish'])
def test_other_shells_know_every_command(shell, capsys):
    cli.main(['completion', shell])
    said = capsys.readouterr().out
    assert [name for name in cli.COMMANDS if name not in said] == []


def test_offline_is_for_every_command(started, monkeypatch):
    monkeypatch.setenv('MMUNIFORMER_OFFLINE', '')
    cli.main(['train', 'cls/uniformer_s', '--offline', '--work-dir', 'x'])
    assert started[0][2:] == ['--work-dir', 'x']
    assert addresses.offline()
