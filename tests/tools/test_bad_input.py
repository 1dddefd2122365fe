"""The command line answers bad input in one line, with exit status 2."""

import pytest

TOY = 'configs/det/mask_rcnn_uniformer_toy.py'


def from_root(path):
    from .. import ROOT

    return str(ROOT / path)


CASES = {
    'no config': (
        ['train.py', 'configs/none.py'],
        "config='configs/none.py': no such file",
    ),
    'no data': (
        ['train.py', from_root(TOY)],
        "'data/coco/annotations/instances_train2017.json' does not exist",
    ),
    'no checkpoint': (
        ['test.py', from_root(TOY), 'none.pth'],
        'does not exist',
    ),
    'output that is no pickle': (
        ['test.py', from_root(TOY), 'none.pth', '--out', 'x.json'],
        "--out='x.json': wanted a .pkl file",
    ),
    'no test-time augmentation': (
        ['test.py', from_root(TOY), 'none.pth', '--tta'],
        'no tta_model',
    ),
    'an option without a value': (
        ['train.py', from_root(TOY), '--cfg-options', 'resume'],
        "'resume': wanted KEY=VALUE",
    ),
    'an option that nothing reads': (
        ['train.py', from_root(TOY), '--cfg-options', 'optimizer.lr=1'],
        'wanted optim_wrapper.optimizer.lr',
    ),
    'small input': (
        ['analysis/complexity.py', from_root(TOY), '--shape', '8', '8'],
        'wanted 32 or more',
    ),
}


@pytest.mark.parametrize('case', CASES)
def test_one_line(run_tool, tmp_path, case):
    command, wanted = CASES[case]
    done = run_tool(*command, cwd=tmp_path)
    lines = done.stderr.strip().splitlines()
    assert done.returncode == 2, done.stderr
    assert lines[-1].startswith('error: ') and wanted in lines[-1]
    assert 'Traceback' not in done.stderr


@pytest.mark.parametrize(
    'option, wanted',
    [
        ('model.backbone.attention=local', "attention='local': wanted one of"),
        ('model.backbone.arch=huge', "arch='huge': wanted one of s, "),
        ('model.backbone.window_size=0', 'window_size=0: wanted an int'),
        ('load_from=none.pth', 'no such file; the config starts from these'),
    ],
)
def test_wrong_value_in_the_config(run_tool, toy_cwd, option, wanted):
    done = run_tool(
        'train.py', from_root(TOY), '--cfg-options', option, cwd=toy_cwd
    )
    assert done.returncode == 2, done.stderr
    assert wanted in done.stderr.strip().splitlines()[-1]


def test_a_missing_checkpoint_is_told_before_a_test_begins(
    run_tool, toy_cwd, tmp_path
):
    work_dir = tmp_path / 'work'
    args = from_root(TOY), 'none.pth', '--work-dir', str(work_dir)
    done = run_tool('test.py', *args, cwd=toy_cwd)
    assert done.returncode == 2, done.stderr
    assert 'none.pth' in done.stderr.strip().splitlines()[-1]
    assert not list(work_dir.glob('*/*.log'))


@pytest.mark.parametrize('tool', ['train.py', 'test.py', 'make_toyworld.py'])
def test_help(run_tool, tool):
    done = run_tool(tool, '--help')
    assert done.returncode == 0 and 'usage' in done.stdout


@pytest.mark.parametrize('tool', ['lock.py', 'setup_env.py', 'test_newest.py'])
def test_help_without_the_packages(run_process, tool):
    done = run_process(tool, '--help')
    assert done.returncode == 0 and 'usage' in done.stdout


@pytest.mark.parametrize(
    'tool', ['convert_checkpoint.py', 'analysis/complexity.py']
)
def test_help_of_what_no_other_test_starts(run_tool, tool):
    done = run_tool(tool, '--help')
    assert done.returncode == 0 and 'usage' in done.stdout
