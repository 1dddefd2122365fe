"""Builds .venv from requirements.lock; runs under any Python 3."""

import argparse
import glob
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VERSIONS = [(3, 11), (3, 12), (3, 13), (3, 10)]
MACHINES = ('x86_64', 'aarch64')
FREE_GB = 12
# What the maintained forks of OpenMMLab replace, and their lock.
ONEDL = ('mmengine', 'mmdet', 'mmpretrain', 'mmsegmentation')
ONEDL_LOCK = os.path.join(ROOT, 'requirements-onedl.lock')
NATIVE = {
    'MMCV_WITH_OPS': '1',
    'MAX_JOBS': str(os.cpu_count()),
    'CFLAGS': '-g0',
    'CXXFLAGS': '-g0',
}


def fail(message):
    """Ends in one line."""
    sys.exit('error: ' + message)


def find_python():
    """A Python that the lock is for, this one first."""
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
        '3.13 with its venv module (Debian, Ubuntu: apt install python3-venv)'
        % sys.version_info[:2]
    )


def choices(args):
    """What was asked for, and what was; what is left open stays as it was."""
    try:
        with open(os.path.join(args.venv, 'mmuniformer.json')) as file:
            old = json.load(file)
    except (OSError, ValueError):
        old = {}
    new = {'root': ROOT}
    for key, usual in (
        ('torch', 'locked'),
        ('mmcv', 'lite'),
        ('hosts', 'stock'),
    ):
        new[key] = getattr(args, key) or old.get(key) or usual
    digest = hashlib.sha256()
    for name in args.lock, ONEDL_LOCK, os.path.abspath(__file__):
        with open(name, 'rb') as file:
            digest.update(file.read())
    new['lock'] = digest.hexdigest()
    return new, old


def check(new, venv):
    """Fails on what this script cannot supply."""
    if new['mmcv'] not in ('lite', 'native'):
        fail("MMCV='%s': wanted lite or native" % new['mmcv'])
    if new['hosts'] not in ('stock', 'onedl'):
        fail("HOSTS='%s': wanted stock or onedl" % new['hosts'])
    if new['torch'] != 'locked' and 'torchvision==' not in new['torch']:
        fail(
            "TORCH='%s': wanted locked or a pair, such as "
            "'torch==2.1.2 torchvision==0.16.2'" % new['torch']
        )
    here = platform.system(), platform.machine()
    if here[0] != 'Linux' or here[1] not in MACHINES:
        fail(
            '%s on %s: the lock is for Linux on x86_64 and aarch64; elsewhere '
            'take an OpenMMLab environment and `pip install --no-deps -e .`'
            % here
        )
    free = shutil.disk_usage(ROOT).free / 1e9
    if not os.path.exists(venv) and free < FREE_GB:
        fail('%.0f GB free in %s; wanted %d' % (free, ROOT, FREE_GB))


def read_lock(path):
    """The lock: (name, line, packages that ask for it) of each package."""
    with open(path) as file:
        text = file.read()
    entries = []
    for entry in re.split(r'^(?=[a-z0-9])', text, flags=re.MULTILINE)[1:]:
        requirement, _, reasons = entry.partition('    # via')
        name = requirement.split('==')[0]
        entries.append((name, requirement, re.findall(r'[\w.-]+', reasons)))
    return entries


def without(entries, left_out):
    """Leaves packages out, and what is in the lock for them alone."""
    gone = set(left_out)
    more = set(gone)
    while more:
        more = {
            name
            for name, _, reasons in entries
            if name not in gone and reasons and gone.issuperset(reasons)
        }
        gone |= more
    return [
        requirement for name, requirement, _ in entries if name not in gone
    ]


def plan(new, lock):
    """What of the lock to install, and the steps that follow.

    A step is a title, pip's arguments and its environment.
    """
    left_out, steps = [], []
    if new['torch'] != 'locked':
        pair = new['torch'].split()
        found = re.search(r'torch==(\d+)\.(\d+)', new['torch'])
        left_out += ['torch', 'torchvision']
        if found and tuple(map(int, found.groups())) < (2, 3):
            left_out.append('numpy')  # which is too new for it
            pair.append('numpy==1.26.4')
        steps.append(('PyTorch', pair, {}))
    if new['mmcv'] == 'native':
        left_out.append('mmcv-lite')
        title = 'mmcv with compiled operators; from source, 10 minutes'
        source = ['--no-build-isolation', '--no-deps', 'mmcv==2.1.0']
        steps.append((title, source, NATIVE))
    if new['hosts'] == 'onedl':
        left_out += ONEDL
        forks = ['--no-deps', '--no-build-isolation']  # most have no wheels
        forks += ['--require-hashes', '-r', ONEDL_LOCK]
        steps.append(('forks of OpenMMLab', forks, {}))
    entries = read_lock(lock)
    kept = [requirement for name, requirement, _ in entries]
    if left_out:
        # The forks ask for what their originals ask for.
        stay = [name for name in left_out if name in ONEDL]
        kept = without(entries, set(left_out) - set(stay))
        kept = [line for line in kept if line.split('==')[0] not in stay]
    return ''.join(kept), steps


class Pip:
    """Runs pip in an environment and says how far it is."""

    def __init__(self, venv):
        self.python = os.path.join(venv, 'bin', 'python')
        self.log = os.path.join(venv, 'setup.log')
        self.start = time.time()
        self.said = 0.0

    def install(self, title, arguments, env=None, total=0):
        """Installs, or ends with the reason in one line."""
        self.say(title, final=True)
        command = [self.python, '-m', 'pip', 'install', '--no-input']
        with open(self.log, 'w') as log:
            process = subprocess.Popen(
                command + arguments,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(os.environ, **(env or {})),
            )
            while True:
                try:
                    code = process.wait(1)
                    break
                except subprocess.TimeoutExpired:
                    self.say(self.progress(total) or title)
        if code:
            fail(explain(self.read(), self.log))

    def read(self):
        """What pip has said so far."""
        with open(self.log, errors='replace') as file:
            return file.read()

    def progress(self, total):
        """How far the lock's packages are."""
        if not total:
            return ''
        text = self.read()
        if 'Installing collected packages' in text:
            there = 'lib/python*/site-packages/*.dist-info'
            here = os.path.dirname(self.log)
            count = len(glob.glob(os.path.join(here, there)))
            return 'installing: %d of %d packages' % (min(count, total), total)
        found = re.findall(r'Collecting (\S+)', text)
        if not found:
            return ''
        size = re.findall(r'\((\d[\d.]* [MG]B)\)', text)
        line = 'fetching: %d of %d, %s' % (len(found), total, found[-1])
        return line + (', %s' % size[-1] if size else '')

    def say(self, text, final=False):
        """A line: over the last one on a terminal, else every 10 seconds."""
        now = time.time()
        line = '[%3.0f s] %s' % (now - self.start, text)
        if sys.stdout.isatty():
            sys.stdout.write('\r\033[K' + line[:79])
        elif final or now - self.said > 10:
            sys.stdout.write(line + '\n')
            self.said = now
        sys.stdout.flush()


def explain(text, log):
    """The one line that says why pip failed."""
    found = re.search(
        r'^ +(\S+) from [\s\S]*?\n +Expected sha256[\s\S]*?Got +(\w+)',
        text,
        re.M,
    )
    if found:
        return (
            '%s: the file that came has the sha256 %s, which is not in '
            'the lock: one of the two was changed' % found.groups()
        )
    errors = re.findall(r'^ *ERROR: (.+)', text, re.MULTILINE)
    reason = errors[0] if errors else 'pip failed'
    return '%s; all that pip said: %s' % (reason, log)


def make_venv(venv, python):
    """A new environment in place of what is there."""
    print('%s -m venv %s' % (python, venv), flush=True)
    if subprocess.call([python, '-m', 'venv', '--clear', venv]):
        fail('`%s -m venv %s` failed; see above' % (python, venv))


def add_start_up(venv):
    """Has the environment load mmuniformer.compat beside OpenMMLab."""
    code = 'import sysconfig; print(sysconfig.get_path("purelib"))'
    python = os.path.join(venv, 'bin', 'python')
    site = subprocess.check_output([python, '-c', code]).decode().strip()
    source = os.path.join(ROOT, 'mmuniformer', 'compat', '_startup.py')
    shutil.copy(source, os.path.join(site, '_mmuniformer_startup.py'))
    with open(os.path.join(site, '_mmuniformer_startup.pth'), 'w') as file:
        file.write('import _mmuniformer_startup\n')


def works(venv):
    """Whether there is an environment with a pip in it."""
    command = [os.path.join(venv, 'bin', 'python'), '-m', 'pip', '--version']
    try:
        return not subprocess.call(command, stdout=subprocess.DEVNULL)
    except OSError:
        return False


def main():
    """Installs the lock, or returns at once when all is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--torch', default='', help='locked, or a pair')
    parser.add_argument('--mmcv', default='', help='lite or native')
    parser.add_argument('--hosts', default='', help='stock or onedl')
    parser.add_argument('--venv', default=os.path.join(ROOT, '.venv'))
    parser.add_argument(
        '--lock', default=os.path.join(ROOT, 'requirements.lock')
    )
    args = parser.parse_args()
    venv = os.path.abspath(args.venv)
    new, old = choices(args)
    check(new, venv)
    stamp = os.path.join(venv, 'mmuniformer.json')
    if new == old:
        return
    changed = [
        k for k in ('torch', 'mmcv', 'hosts') if old and old.get(k) != new[k]
    ]
    if changed or not works(venv):
        make_venv(venv, find_python())
    if os.path.exists(stamp):
        os.remove(stamp)
    text, steps = plan(new, args.lock)
    wanted = os.path.join(venv, 'requirements.txt')
    with open(wanted, 'w') as file:
        file.write(text)
    pip = Pip(venv)
    locked = ['--no-deps', '--no-compile', '--only-binary', ':all:']
    pip.install(
        'requirements.lock: 5 GB',
        locked + ['--require-hashes', '-r', wanted],
        total=len(set(re.findall(r'^(\S+)==', text, re.MULTILINE))),
    )
    for title, arguments, env in steps:
        pip.install(title, arguments, env)
    ours = ['--no-deps', '--no-build-isolation', '-e', ROOT]
    pip.install('mmuniformer', ours)
    add_start_up(venv)
    with open(stamp, 'w') as file:
        json.dump(new, file)
    pip.say('set up: %s' % args.venv, final=True)
    print()


if __name__ == '__main__':
    main()
