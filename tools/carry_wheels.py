#!/usr/bin/env python3
"""Collects wheels for a machine that reaches no package registry.

That machine has PyTorch already. What else it has is said by a file, the
output of `python3 -m pip list --format=freeze` there; what it lacks of
requirements.lock, or has in a version that requirements.txt does not allow,
is downloaded here, with the hashes of the lock:

    tools/carry_wheels.py --installed there.txt

and installed there, beside what is there, without a registry:

    python3 -m pip install --no-index --no-deps --target site .wheels/*.whl
    PYTHONPATH=site python3 tools/analysis/gpu_report.py
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from lock import ASKED, LOCK, canonicalize_name, pins, read_requirements
from setup_env import read_lock, without

# PyTorch's own; and what only tests and lint want, or is large and a matter
# of speed (decord or OpenCV reads videos, too).
PYTORCH = ('torch', 'torchvision', 'triton')
NOT_TO_RUN = ('pytest', 'pytest-xdist', 'ruff', 'mypy', 'av')
# One package under two names.
SAME = {'opencv-python-headless': 'opencv-python'}
GLIBC = (17, 24, 26, 27, 28, 31, 34, 35)


def parse_args(argv=None):
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__.split('\n\n')[0],
        epilog=__doc__.split('\n\n', 1)[1],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add('--installed', metavar='FILE', help='what is there: NAME==VERSION')
    add('--python', default='3.12', help='version of Python there [3.12]')
    add('--machine', default='x86_64', choices=('x86_64', 'aarch64'))
    add('--without', nargs='+', default=[], metavar='NAME',
        help='packages not to carry')  # fmt: skip
    add('--out', default='.wheels', metavar='DIR', help='[.wheels]')
    return parser.parse_args(argv)


def read_installed(path):
    """Versions by name, of the output of pip."""
    found = {}
    for line in Path(path).read_text().splitlines():
        name, _, version = line.strip().partition('==')
        if name and version:
            name = canonicalize_name(name)
            found[SAME.get(name, name)] = version
    return found


def wanted(lock, asked, installed, left_out):
    """Names of what has to be carried.

    Args:
        lock: Versions by name, of that machine.
        asked: Requirements of the short list.
        installed: Versions by name.
        left_out: Names that are not wanted.
    """
    bounds = {canonicalize_name(r.name): r.specifier for r in asked}
    have = {*PYTORCH, *NOT_TO_RUN, *map(canonicalize_name, left_out)}
    for name, version in installed.items():
        bound = bounds.get(name)
        if bound is None or bound.contains(version, prereleases=True):
            have.add(name)
    entries = [
        (canonicalize_name(name), name, [canonicalize_name(r) for r in why])
        for name, _, why in read_lock(LOCK)
    ]
    kept = set(map(canonicalize_name, without(entries, have)))
    return sorted(name for name in lock if name in kept)


def hashed(names, lock):
    """Lines of a requirements file, with hashes and without markers."""
    lines = []
    for name, entry, _ in read_lock(LOCK):
        pin = entry.split(' ;')[0].split(' \\')[0].strip()
        own = canonicalize_name(name)
        if own in names and pin.endswith(f'=={lock[own]}'):
            hashes = [x for x in entry.split() if x.startswith('--hash=')]
            lines.append(' '.join([pin, *hashes]))
    return '\n'.join(lines) + '\n'


def download(lines, args):
    """Has pip fetch wheels for that machine."""
    platforms = [f'--platform=manylinux_2_{n}_{args.machine}' for n in GLIBC]
    platforms.append(f'--platform=manylinux2014_{args.machine}')
    with tempfile.NamedTemporaryFile('w', suffix='.txt') as file:
        file.write(lines)
        file.flush()
        return subprocess.call([
            *(sys.executable, '-m', 'pip', 'download', '--quiet'),
            *('--no-deps', '--only-binary=:all:', '--require-hashes'),
            *('--python-version', args.python, '--implementation', 'cp'),
            *platforms, '--dest', args.out, '-r', file.name,
        ])  # fmt: skip


def main(argv=None):
    """Downloads, and says how much it is."""
    args = parse_args(argv)
    if args.installed and not Path(args.installed).is_file():
        sys.exit(f'error: --installed={args.installed!r}: no such file')
    installed = read_installed(args.installed) if args.installed else {}
    lock = pins(LOCK.read_text(), args.python, args.machine)
    asked = read_requirements(ASKED.read_text())
    names = wanted(lock, asked, installed, args.without)
    status = download(hashed(names, lock), args)
    if status:
        sys.exit(f'error: pip ended with status {status}')
    wheels = list(Path(args.out).glob('*.whl'))
    size = sum(wheel.stat().st_size for wheel in wheels) / 2**20
    print(f'{len(wheels)} wheels, {size:.0f} MiB: {args.out}')


if __name__ == '__main__':
    main()
