"""Makes the locks from their short lists, or says where they differ."""

import argparse
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

try:
    from packaging.markers import Marker
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name
except ImportError:  # a bare Python
    from pip._vendor.packaging.markers import Marker
    from pip._vendor.packaging.requirements import Requirement
    from pip._vendor.packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
ASKED = ROOT / 'requirements.txt'
LOCK = ROOT / 'requirements.lock'
FORKS = ROOT / 'requirements-onedl.txt'
DOCS = ROOT / 'requirements-docs.txt'
# Short lists, each with uv's options; a lock has its list's name.
LISTS = {ASKED: (), FORKS: ('--no-deps',), DOCS: ()}
UV = 'uv==0.13.9'
PYPI = 'https://pypi.org/simple'
PYTHONS = ('3.10', '3.11', '3.12', '3.13')
MACHINES = ('x86_64', 'aarch64')

# Asked for by some package, and not installed.
IN_VAIN = {
    'chumpy': 'mmpose; does not build, and nothing here uses it',
    'xtcocotools': 'mmpose; mmuniformer.compat answers for it',
    'opencv-contrib-python': 'mmaction2; a second OpenCV',
    'huggingface-hub': 'timm; fetches weights that are not ours',
}
# Asked for where there is no wheel.
ONLY = ["decord; platform_machine == 'x86_64'"]
# Too new, and only asked for by others: `NAME<VERSION  # why`.
BOUNDS: list[str] = []


def compile_lock(
    target: Path, newest: bool, asked: Path, *options: str
) -> None:
    """Runs uv in an environment of its own.

    Args:
        target: The lock. What it holds stays as far as the bounds allow.
        newest: Take the newest of everything instead.
        asked: The short list.
        options: Of uv; without any, only what has wheels is taken.
    """
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        venv.create(here / 'uv', with_pip=True)
        python = here / 'uv/bin/python'
        pip = [python, '-m', 'pip', 'install', '-q', UV]
        subprocess.run(pip, check=True)
        (here / 'in_vain.txt').write_text('\n'.join(IN_VAIN))
        (here / 'only.txt').write_text('\n'.join(ONLY))
        (here / 'bounds.txt').write_text('\n'.join(BOUNDS))
        places = ', '.join(
            f"\"sys_platform == 'linux' and platform_machine == '{machine}' "
            f"and python_version <= '{PYTHONS[-1]}'\""
            for machine in MACHINES
        )
        (here / 'pyproject.toml').write_text(
            f'[tool.uv]\nenvironments = [{places}]\n'
        )
        lock = asked.with_suffix('.lock').name
        (here / asked.name).write_text(asked.read_text())
        if target.exists() and not newest:
            (here / lock).write_text(target.read_text())
        command = [
            here / 'uv/bin/uv',
            *('pip', 'compile', asked.name, '-o', lock, '--quiet'),
            *('--universal', '--python-version', PYTHONS[0]),
            '--generate-hashes',
            *(options or ('--only-binary', ':all:')),
            *('--default-index', PYPI, '--system-certs'),
            *('--excludes', 'in_vain.txt', '--overrides', 'only.txt'),
            *('--constraints', 'bounds.txt'),
            *('--custom-compile-command', 'make lock'),
        ]
        subprocess.run(command, check=True, cwd=here)
        target.write_text((here / lock).read_text())


def read_requirements(text: str) -> list[Requirement]:
    """The requirements of a file, hashes and comments left out."""
    lines = text.replace('\\\n', ' ').splitlines()
    lines = [re.sub(r'(^|\s)#.*|\s--hash=\S+', '', line) for line in lines]
    return [Requirement(line) for line in lines if line.strip()]


def applies(marker: Marker | None, python: str, machine: str) -> bool:
    """Whether a requirement is one of a Linux machine."""
    return marker is None or marker.evaluate(
        dict(
            python_version=python,
            python_full_version=f'{python}.0',
            platform_machine=machine,
            sys_platform='linux',
            platform_system='Linux',
            os_name='posix',
            implementation_name='cpython',
            platform_python_implementation='CPython',
        )
    )


def pins(lock: str, python: str, machine: str) -> dict[str, str]:
    """What a lock installs on a machine: versions by name."""
    return {
        canonicalize_name(pin.name): str(pin.specifier).removeprefix('==')
        for pin in read_requirements(lock)
        if applies(pin.marker, python, machine)
    }


def differences(asked: str, lock: str) -> list[str]:
    """Where the texts of the short list and of the lock disagree."""
    found = []
    strange = re.search(r'^-.*|^.*(://|file:).*', lock, re.MULTILINE)
    if strange:
        return [f'{strange[0]}: an index or an address in the lock']
    wanted = read_requirements(asked)
    only = {r.name: r.marker for r in read_requirements('\n'.join(ONLY))}
    for python in PYTHONS:
        for machine in MACHINES:
            locked = pins(lock, python, machine)
            for want in wanted:
                if not applies(want.marker, python, machine):
                    continue
                if not applies(only.get(want.name), python, machine):
                    continue
                version = locked.get(canonicalize_name(want.name))
                if version is None or not want.specifier.contains(
                    version, prereleases=True
                ):
                    found.append(f'{want}: the lock has {version}')
            found += [
                f'{n}: in the lock, in vain' for n in IN_VAIN if n in locked
            ]
    names = {canonicalize_name(want.name) for want in wanted}
    parts = re.split(r'^(\S+)==', lock, flags=re.MULTILINE)[1:]
    for name, part in zip(parts[::2], parts[1::2]):
        direct = f'-r {ASKED.name}\n' in part
        if direct and canonicalize_name(name) not in names:
            found.append(f'{name}: in the lock, and no longer asked for')
        if '--hash=sha256:' not in part:
            found.append(f'{name}: no hash in the lock')
    return list(dict.fromkeys(found))


def main() -> None:
    """Makes the lock, or checks it without a network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--check', action='store_true', help='compare only; no network'
    )
    parser.add_argument(
        '--newest',
        metavar='FILE',
        type=Path,
        help='write the newest that the bounds allow to FILE',
    )
    args = parser.parse_args()
    locks = {asked: asked.with_suffix('.lock') for asked in LISTS}
    if args.newest:
        locks = {ASKED: args.newest}
    if not args.check:
        try:
            for asked, lock in locks.items():
                newest = bool(args.newest)
                compile_lock(lock, newest, asked, *LISTS[asked])
        except subprocess.CalledProcessError as error:
            sys.exit(f'error: {Path(error.cmd[0]).name} failed; see above')
    for asked, lock in locks.items():
        found = differences(asked.read_text(), lock.read_text())
        if found:
            sys.exit(
                f'error: {lock.name} and {asked.name} disagree; run '
                f'`make lock`: ' + '; '.join(found)
            )


if __name__ == '__main__':
    main()
