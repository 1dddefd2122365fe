"""README and docs: commands, paths and numbers are those of the project."""

import json
import os
import re
import sys

import pytest

from .. import ROOT

PAGES = [ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))]
# Each line is wrong in one way, and the check is to find each of them.
BAD = {
    'tools/train.py configs/seg/fpn_uniformer_s.py --wrong 3': '--wrong 3',
    'tools/test.py configs/seg/fpn_uniformer_s.py': 'checkpoint',
    'tools/dist_train.sh configs/seg/fpn_uniformer_s.py --tta': 'processes',
    'tools/analysis/throughput.py --arch s --mode x': "choice: 'x'",
    'mmuniformer predikt x': 'did you mean predict',
    'mmuniformer models --task film': "choice: 'film'",
    'make dmo': 'no target dmo',
    'make setup TROCH=x': 'no variable TROCH',
    'NODE_RNK=2 make test': 'nothing here reads it',
    "pip install -e '.[film]'": 'no extra film',
    'frobnicate': 'not a command',
    'tools/nothing.py': 'tools/nothing.py: no such file',
}


@pytest.fixture(scope='module')
def said(run_tool, tmp_path_factory):
    """What the check says of all pages and of one full of mistakes."""
    page = tmp_path_factory.mktemp('docs') / 'bad.md'
    source = page.parent / 'measured/a.json'
    source.parent.mkdir()
    source.write_text(json.dumps(dict(rows=[dict(name='s', speed=2e9)])))
    page.write_text(
        '```shell\n' + '\n'.join(BAD) + '\n```\n\n'
        '```python\nimport mmuniformer\nmmuniformer.nothing()\n```\n\n'
        'See `configs/nothing.py` and `--no-such-flag`.\n\n'
        'It was measured: 7.\n\n'
        '[1.9 G](measured/a.json "rows > s > speed / 1e9") and '
        '[2.0 G](measured/a.json "rows > s > speed / 1e9") and '
        '[3.0 G](measured/a.json "rows > b > speed")\n'
    )
    done = run_tool('check_docs.py', *PAGES, ROOT / 'CONTRIBUTING.md', page)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def test_every_page_is_in_order(said):
    places = re.findall(r'^(?!bad\.md|    )\S.*', said, re.M)
    assert not places


@pytest.mark.parametrize('line', BAD)
def test_a_wrong_command_is_found(said, line):
    reasons = re.findall(rf'{re.escape(line)}\n +(.*)', said)
    assert BAD[line] in reasons[0]


@pytest.mark.parametrize(
    'words',
    [
        "No module named 'mmuniformer.nothing'",
        'configs/nothing.py: no such file',
        '--no-such-flag: no tool has it',
        'measured, but by which command?',
        "'1.9 G', but measured/a.json",
        '"rows > b > speed": KeyError',
    ],
)
def test_other_mistakes_are_found(said, words):
    assert words in said


def test_a_right_number_is_let_pass(said):
    assert "'2.0 G'" not in said


@pytest.mark.parametrize('page', PAGES, ids=lambda p: p.name)
def test_links_lead_to_files_and_pictures_have_words(page):
    text = re.sub('```.*?```|`[^`\n]*`', '', page.read_text(), flags=re.S)
    for bang, words, target in re.findall(r'(!?)\[(.*?)\]\((\S+?)[ )]', text):
        assert not bang or len(words) > 10, target
        if not re.match('https?:|mailto:|#', target):
            assert (page.parent / target.partition('#')[0]).exists(), target


@pytest.mark.parametrize(
    'path',
    sorted((ROOT / 'docs/measured').glob('*.json')),
    ids=lambda p: p.name,
)
def test_measurements_say_when_and_where(path):
    content = json.loads(path.read_text())
    assert re.match(r'\d{4}-\d\d-\d\d ', content['date'])
    assert content['machine']['cpu'] and content['machine']['cores']
    assert {'torch', 'python', 'mmuniformer'} <= set(content['versions'])
    tool = content['command'].split()[0]
    assert (ROOT / tool).exists() or tool == 'mmuniformer'


def test_the_site_has_every_page():
    nav = (ROOT / 'mkdocs.yml').read_text()
    pages = {p.name for p in (ROOT / 'docs').glob('*.md')}
    assert pages == set(re.findall(r': ([\w-]+\.md)$', nav, re.M))


def test_a_warning_ends_the_build_of_the_site():
    build = re.search(r'mkdocs build.*', (ROOT / 'Makefile').read_text())[0]
    assert '--strict' in build
    assert '-q' not in build  # quiet, mkdocs counts no warnings


def test_blocks_that_are_not_run_say_why():
    sys.path.insert(0, str(ROOT / 'tools'))
    from _fences import fences

    page = ROOT / 'docs/experiments.md'
    assert all(f.test or f.reason for f in fences(page))


def test_a_tool_that_a_page_names_bare_can_be_executed():
    tools = [*ROOT.glob('tools/*.*'), *ROOT.glob('tools/analysis/*.py')]
    begun = [t for t in tools if t.read_bytes()[:2] == b'#!']
    assert len(begun) > 15
    assert [t.name for t in begun if not os.access(t, os.X_OK)] == []
