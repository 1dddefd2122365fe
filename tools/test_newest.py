"""Tests the newest of everything that requirements.txt allows.

Prints what fails and which package broke it: the one whose locked version,
put before the newest on the path, lets the test pass again.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import lock
import setup_env

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / '.venv-newest'
PYTHON = VENV / 'bin/python'
NEWEST = ROOT / 'work_dirs/newest.lock'


def main() -> None:
    """Makes the environment, runs the tests, blames packages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('tests', nargs='*', help='pytest paths; all if none')
    parser.add_argument(
        '--processes', default='auto', help='how many test at a time'
    )
    args = parser.parse_args()
    NEWEST.parent.mkdir(exist_ok=True)
    tools = ROOT / 'tools'
    for command in (
        [sys.executable, tools / 'lock.py', '--newest', NEWEST],
        [sys.executable, tools / 'setup_env.py', '--venv', VENV]
        + ['--lock', NEWEST],
    ):
        # Bounds that pip is configured with are not ours.
        env = dict(os.environ, PIP_CONSTRAINT=os.devnull)
        if subprocess.call(command, env=env):
            sys.exit(1)
    changed = changes()
    for name, (old, new) in changed.items():
        print(f'{name}: locked {old}, newest {new}')
    parallel = ['-n', args.processes, '--dist', 'loadscope']
    failed, summary = run_tests(args.tests, parallel)
    print(summary)
    blame(failed, changed)
    sys.exit(bool(failed))


def changes() -> dict[str, tuple[str, str]]:
    """Locked and newest version of each package that differs, here."""
    command = [PYTHON, '-m', 'pip', 'list', '--format', 'freeze']
    text = subprocess.check_output(command, text=True)
    newest = dict(re.findall(r'^(\S+)==(\S+)$', text, re.MULTILINE))
    newest = {lock.canonicalize_name(n): v for n, v in newest.items()}
    locked = lock.pins(lock.LOCK.read_text(), *here())
    return {
        name: (version, newest[name])
        for name, version in locked.items()
        if newest.get(name, version) != version
    }


def here() -> tuple[str, str]:
    """Python version of the environment, and machine."""
    code = 'import sys; print("%d.%d" % sys.version_info[:2])'
    version = subprocess.check_output([PYTHON, '-c', code], text=True)
    return version.strip(), os.uname().machine


def run_tests(
    tests: list[str], options: list[str], path: str = ''
) -> tuple[list[str], str]:
    """Failed tests and pytest's last line.

    Args:
        tests: Paths or names.
        options: Of pytest.
        path: Folder of packages that come before those installed.
    """
    command = [PYTHON, '-m', 'pytest', '-o', 'addopts=--strict-markers', '-q']
    command += ['-rfE', '--tb=short', '-p', 'no:cacheprovider', *options]
    done = subprocess.run(
        [*command, *tests],
        cwd=ROOT,
        env=dict(os.environ, PYTHONPATH=path),
        stdout=subprocess.PIPE,
        text=True,
    )
    if not path:
        print(done.stdout)
    found = re.findall(
        r'^(?:FAILED|ERROR) (tests/.+?)(?: - .*)?$', done.stdout, re.MULTILINE
    )
    lines = done.stdout.strip().splitlines() or ['pytest said nothing']
    if done.returncode > 1 and not found:
        sys.exit(f'error: {lines[-1]}')
    return list(dict.fromkeys(found)), lines[-1]


def blame(failed: list[str], changed: dict[str, tuple[str, str]]) -> None:
    """Prints which package each failed test needs in its locked version."""
    asked = lock.read_requirements(lock.ASKED.read_text())
    direct = {lock.canonicalize_name(r.name) for r in asked}
    names = sorted(changed, key=lambda name: name not in direct)
    groups = [[name] for name in names if not of_torch(name)]
    groups.append([name for name in names if of_torch(name)])
    for group in filter(None, groups):
        if not failed:
            return
        with tempfile.TemporaryDirectory() as folder:
            pins = [f'{name}=={changed[name][0]}' for name in group]
            command = [PYTHON, '-m', 'pip', 'install', '-q', '--no-deps']
            subprocess.check_call([*command, '--target', folder, *pins])
            left, _ = run_tests(failed, [], folder)
        old, new = changed[group[0]]
        for test in failed:
            if test not in left:
                print(f'{group[0]} {new} broke {test} (passes with {old})')
        failed = left
    for test in failed:
        print(f'no single package broke {test}')


def of_torch(name: str) -> bool:
    """Whether a package is there for PyTorch alone."""
    entries = setup_env.read_lock(lock.LOCK)
    left = setup_env.without(entries, ['torch', 'torchvision'])
    return not any(entry.startswith(f'{name}==') for entry in left)


if __name__ == '__main__':
    main()
