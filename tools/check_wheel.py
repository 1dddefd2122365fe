"""Installs the wheel into empty environments and uses it in empty folders.

For each extra: a virtual environment with `mmuniformer[EXTRA]` alone, no
clone in sight; toy data, an epoch, a test and the doctor, all by the command
`mmuniformer`; configs by `mmuniformer::` with and without pkg_resources; and
no package of another task's host.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
HOSTS = {
    'cls': 'mmpretrain',
    'det': 'mmdet',
    'seg': 'mmsegmentation',
    'pose': 'mmpose',
    'video': 'mmaction2',
}
LAYOUTS = dict(
    cls='imagenet', det='coco', seg='ade', pose='keypoints', video='kinetics'
)
TOYS = {
    'cls': 'cls/uniformer_toy',
    'det': 'det/mask_rcnn_uniformer_toy',
    'seg': 'seg/fpn_uniformer_toy',
    'pose': 'pose/topdown_uniformer_toy',
    'video': 'video/uniformer_toy',
}
# mmsegmentation's recipes count in steps.
LENGTHS = {'seg': ['--iters', '20']}
SHORT = ['train_dataloader.num_workers=0', 'val_dataloader.num_workers=0']
CONFIGS = """
import sys
if sys.argv[1:] == ['without']:
    sys.modules['pkg_resources'] = None
import mmuniformer
from mmengine.config import Config
from mmengine.hub import get_config
name = 'mmuniformer::det/mask_rcnn_uniformer_b.py'
assert get_config(name).model.backbone.arch == 'b'
open('mine.py', 'w').write(f'_base_ = {name!r}\\n')
assert Config.fromfile('mine.py').model.backbone.arch == 'b'
assert len(mmuniformer.list_models()) > 80
print('configs by mmuniformer::', *sys.argv[1:], 'pkg_resources: found')
"""


def main() -> None:
    """Checks extras one after the other; status 1 if one of them fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'extras', nargs='*', metavar='EXTRA', help=f'of {", ".join(HOSTS)}'
    )
    parser.add_argument('--wheel', type=Path, help='a wheel, not a new one')
    parser.add_argument('--work', type=Path, help='keep all here')
    parser.add_argument(
        '--fetch-torch',
        action='store_true',
        help="let pip fetch PyTorch, not link this environment's",
    )
    args = parser.parse_args()
    for extra in args.extras:
        if extra not in HOSTS:
            parser.error(f'{extra!r}: wanted some of {", ".join(HOSTS)}')
    work = args.work or Path(tempfile.mkdtemp(prefix='check_wheel.'))
    try:
        wheel = (args.wheel or build(work / 'dist')).resolve()
        failed = [
            extra
            for extra in args.extras or HOSTS
            if not check(extra, wheel, work / extra, args.fetch_torch)
        ]
    finally:
        if not args.work:
            shutil.rmtree(work)
    if failed:
        sys.exit(f'error: {", ".join(failed)}')


def build(folder: Path) -> Path:
    """The wheel of this clone."""
    pip = [sys.executable, '-m', 'pip', 'wheel', '-q', '--no-deps']
    subprocess.run([*pip, '-w', folder, ROOT], check=True)
    return next(folder.glob('mmuniformer-*.whl'))


def check(extra: str, wheel: Path, work: Path, fetch: bool) -> bool:
    """Installs an extra and uses it."""
    home = work / 'venv'
    shutil.rmtree(work, ignore_errors=True)
    empty = work / 'empty'
    empty.mkdir(parents=True)
    run = Runs(extra, empty, home)
    run([sys.executable, '-m', 'venv', '--without-pip', home])
    if not fetch:
        link_torch(home)
    toy = TOYS[extra]
    options = ['--cfg-options', *SHORT]
    made = ['--images-train', '48', '--images-val', '16']
    pip = [sys.executable, '-m', 'pip', '--python', home / 'bin/python']
    run([*pip, 'install', '-q', '--no-compile', f'{wheel}[{extra}]'])
    run(['python', '-c', CONFIGS])
    run(['python', '-c', CONFIGS, 'without'])
    run(['mmuniformer', 'toyworld', '--layouts', LAYOUTS[extra], *made])
    length = LENGTHS.get(extra, ['--epochs', '1'])
    run(['mmuniformer', 'train', toy, *length, *options])
    last = next(empty.glob('work_dirs/**/last_checkpoint'), None)
    path = last.read_text() if last else 'none'
    run(['mmuniformer', 'test', toy, path, *options])
    run(['mmuniformer', 'doctor', '--task', extra])
    there = {d.name.lower() for d in installed(home)}
    others = {h for e, h in HOSTS.items() if e != extra} & there
    if others:
        run.failed = True
        print(f'{extra}: brings {", ".join(sorted(others))}', flush=True)
    return not run.failed


class Runs:
    """Runs commands in an environment and a folder until one fails."""

    def __init__(self, extra: str, folder: Path, home: Path) -> None:
        self.extra, self.folder, self.failed = extra, folder, False
        path = f'{home / "bin"}{os.pathsep}{os.environ["PATH"]}'
        self.env = {**os.environ, 'PATH': path, 'VIRTUAL_ENV': str(home)}
        self.env.pop('PYTHONPATH', None)

    def __call__(self, command: list) -> None:
        """Says the command, its last lines and how long it took."""
        if self.failed:
            return
        start = time.time()
        done = subprocess.run(
            [shutil.which(command[0], path=self.env['PATH']), *command[1:]],
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors='replace',
        )
        self.failed = done.returncode != 0
        text = done.stdout.strip().splitlines()
        shown = text[-30:] if self.failed else text[-2:]
        words = [str(word) for word in command]
        line = ' '.join('...' if '\n' in word else word for word in words)
        print(f'{self.extra}$ {line}', *shown, sep='\n  ')
        status = 'FAILED' if self.failed else 'ok'
        print(f'  [{status}, {time.time() - start:.0f} s]', flush=True)


def installed(home: Path) -> list[metadata.Distribution]:
    """The packages of an environment."""
    sites = [str(site) for site in home.glob('lib/python*/site-packages')]
    return list(metadata.distributions(path=sites))


def link_torch(home: Path) -> None:
    """Puts this environment's PyTorch into another one, by hard links."""
    site = next(home.glob('lib/python*/site-packages'))
    wanted, seen = ['torch', 'torchvision'], set()
    while wanted:
        name = wanted.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # of another platform
        for text in found.requires or ():
            requirement = Requirement(text)
            marker = requirement.marker
            if marker is None or marker.evaluate({'extra': ''}):
                wanted.append(requirement.name)
        for file in found.files or ():
            if '..' in file.parts:
                continue  # scripts
            source, target = Path(str(file.locate())), site / file
            if source.is_file() and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                link(source, target)


def link(source: Path, target: Path) -> None:
    """A hard link, or a copy on another disk."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


if __name__ == '__main__':
    main()
