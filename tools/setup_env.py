"""Builds .venv from requirements.txt; runs under any Python 3."""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, '.venv')
PIP = [os.path.join(VENV, 'bin', 'python'), '-m', 'pip']
STAMP = os.path.join(VENV, 'mmuniformer.json')
VERSIONS = [(3, 12), (3, 11), (3, 10)]
FREE_GB = 12


def fail(message):
    """Ends in one line."""
    sys.exit('error: ' + message)


def find_python():
    """A Python that the wheels exist for, this one first."""
    names = [sys.executable] + ['python%d.%d' % v for v in VERSIONS]
    for name in names:
        code = 'import sys, venv, ensurepip; print(sys.version_info[:2])'
        try:
            out = subprocess.check_output(
                [name, '-c', code], stderr=subprocess.DEVNULL
            )
        except (OSError, subprocess.CalledProcessError):
            continue
        if out.decode().strip() in map(str, VERSIONS):
            return name
    fail(
        'this is Python %d.%d and no other was found; wanted Python 3.10 to '
        '3.12 with its venv module (Debian, Ubuntu: apt install python3-venv)'
        % sys.version_info[:2]
    )


def read_steps(torch, mmcv):
    """(title, pip arguments, environment) of each step of requirements.txt."""
    with open(os.path.join(ROOT, 'requirements.txt')) as file:
        text = file.read()
    steps = []
    for part in text.split('# step: ')[1:]:
        head, _, body = part.partition('\n')
        title, _, flags = head.rstrip(']').partition(' [')
        pins = [x for x in body.splitlines() if x and x[0] != '#']
        if title.startswith('PyTorch'):
            pins = torch.split() or pins
        if title.startswith('arrays') and old_torch(torch):
            pins = ['numpy==1.26.4'] + [p for p in pins if 'numpy' not in p]
        env = {}
        if mmcv == 'native' and title.startswith('mmcv'):
            title = 'mmcv with compiled operators; from source, 10 minutes'
            pins = [pin.replace('mmcv-lite', 'mmcv') for pin in pins]
            flags = '--no-build-isolation'
            env = {
                'MMCV_WITH_OPS': '1',
                'MAX_JOBS': str(os.cpu_count()),
                'CFLAGS': '-g0',
                'CXXFLAGS': '-g0',
            }
        steps.append((title, flags.split() + pins, env))
    return steps


def old_torch(torch):
    """Whether torch is too old for NumPy 2."""
    found = re.search(r'torch==(\d+)\.(\d+)', torch)
    return bool(found) and tuple(map(int, found.groups())) < (2, 3)


def choices(args):
    """What was asked for; what is left open stays as it was installed."""
    try:
        with open(STAMP) as file:
            old = json.load(file)
    except (OSError, ValueError):
        old = {}
    with open(os.path.join(ROOT, 'requirements.txt'), 'rb') as file:
        pins = hashlib.sha256(file.read()).hexdigest()
    new = {
        'torch': args.torch or old.get('torch', ''),
        'mmcv': args.mmcv or old.get('mmcv', 'lite'),
        'pins': pins,
        'root': ROOT,
    }
    return new, old


def check(args, mmcv):
    """Fails on what this script cannot supply."""
    if mmcv not in ('lite', 'native'):
        fail("MMCV='%s': wanted lite or native" % mmcv)
    if args.torch and 'torchvision==' not in args.torch:
        fail(
            "TORCH='%s': wanted a pair, such as "
            "'torch==2.1.2 torchvision==0.16.2'" % args.torch
        )
    free = shutil.disk_usage(ROOT).free / 1e9
    if not os.path.exists(VENV) and free < FREE_GB:
        fail('%.0f GB free in %s; wanted %d' % (free, ROOT, FREE_GB))


def run(command, env=None):
    """Runs a command and fails with it."""
    if subprocess.call(command, env=dict(os.environ, **(env or {}))):
        fail('`%s` failed; see above' % ' '.join(command))


def main():
    """Installs step by step, or returns at once when all is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--torch', default='', help='another pair')
    parser.add_argument('--mmcv', default='', help='lite or native')
    args = parser.parse_args()
    new, old = choices(args)
    check(args, new['mmcv'])
    if new == old:
        return
    start = time.time()
    if not os.path.exists(os.path.join(VENV, 'bin', 'pip')):
        python = find_python()
        print('[0] %s -m venv .venv' % python, flush=True)
        run([python, '-m', 'venv', '--clear', VENV])
    elif old.get('mmcv', new['mmcv']) != new['mmcv']:
        run(PIP + ['uninstall', '-y', '-q', 'mmcv', 'mmcv-lite'])
    if os.path.exists(STAMP):
        os.remove(STAMP)
    steps = read_steps(new['torch'], new['mmcv'])
    steps.append(('mmuniformer', ['--no-deps', '-e', ROOT], {}))
    steps[-1][1].insert(0, '--no-build-isolation')
    for number, (title, arguments, env) in enumerate(steps, 1):
        seconds = time.time() - start
        line = '[%d/%d] %s (%.0f s)' % (number, len(steps), title, seconds)
        print(line, flush=True)
        quiet = [] if 'GB' in title else ['-q']  # a bar for large files
        run(PIP + ['install'] + quiet + arguments, env)
    with open(STAMP, 'w') as file:
        json.dump(new, file)
    print('set up in %.0f s: .venv' % (time.time() - start))


if __name__ == '__main__':
    main()
