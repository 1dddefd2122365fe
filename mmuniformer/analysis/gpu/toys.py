"""Runs our tools on the toy world, as users do."""

import importlib.util
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from .items import LeftOutError, Place

ROOT = Path(__file__).resolve().parents[3]
# By recipe: its host and the layout of its data.
RECIPES = {
    'cls/uniformer_toy': ('mmpretrain', 'imagenet'),
    'cls/uniformer_xxs_toy': ('mmpretrain', 'imagenet'),
    'det/mask_rcnn_uniformer_toy': ('mmdet', 'coco'),
    'seg/fpn_uniformer_toy': ('mmseg', 'ade'),
    'pose/topdown_uniformer_toy': ('mmpose', 'keypoints'),
    'video/uniformer_toy': ('mmaction', 'kinetics'),
    'video/uniformer_xxs_toy': ('mmaction', 'kinetics'),
}
STEPS = 20
# Every batch is drawn alike, and nothing is validated.
LEAF = """\
_base_ = [{base!r}]
default_hooks = dict(
    logger=dict(interval=1), checkpoint=dict(interval={every}, by_epoch=False)
)
custom_hooks = []
val_dataloader = val_cfg = val_evaluator = None
train_dataloader = dict(
    batch_size={batch}, num_workers=0, persistent_workers=False
)
train_cfg = dict(
    _delete_=True, type='IterBasedTrainLoop', max_iters={steps},
    val_interval=10**6,
)
param_scheduler = []
log_processor = dict(by_epoch=False)
randomness = dict(seed=3, deterministic={deterministic})
"""
# A GPU draws other numbers than a CPU; the other recipes drop nothing.
NO_DROPOUT = """\
model = dict(decode_head=dict(dropout_ratio=0.0))
"""


def tool_path(name: str) -> str:
    """A script of ours, in a checkout or beside the package."""
    for folder in (ROOT / 'tools', ROOT / 'mmuniformer/.mim/tools'):
        if (folder / name).is_file():
            return str(folder / name)
    raise LeftOutError(f'tools/{name} is not there')


def config_path(name: str) -> Path:
    """A config of ours, in a checkout or beside the package."""
    for folder in (ROOT / 'configs', ROOT / 'mmuniformer/.mim/configs'):
        if (folder / f'{name}.py').is_file():
            return folder / f'{name}.py'
    raise LeftOutError(f'configs/{name}.py is not there')


def run(
    args: list[str], name: str, place: Place, **environment: str
) -> 'subprocess.CompletedProcess[str]':
    """Runs one of our scripts; what it said is kept in a file.

    Args:
        args: Script and arguments.
        name: Of the file.
        place: Of the report.
        environment: What is added to that of this process.
    """
    env = dict(os.environ, PYTHONPATH=python_path(), **environment)
    env.setdefault('OMP_NUM_THREADS', '2')
    done = subprocess.run(
        [sys.executable, *args],
        env=env, capture_output=True, text=True, cwd=place.folder,
    )  # fmt: skip
    path = Path(place.folder) / 'logs' / f'{name.replace("/", "_")}.log'
    path.parent.mkdir(exist_ok=True)
    path.write_text(done.stdout + done.stderr)
    return done


def python_path() -> str:
    """This checkout, and what was on the path."""
    known = str(ROOT), os.environ.get('PYTHONPATH', '')
    return os.pathsep.join(filter(None, known))


def last_line(done: Any) -> str:
    """The last line that a process said, for people."""
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[-1][:300] if lines else ''


def train(
    recipe: str, name: str, place: Place, *options: str, **values: Any
) -> list[float]:
    """Losses of a training by ``tools/train.py``.

    Args:
        recipe: A key of ``RECIPES``.
        name: Of the work dir.
        place: Of the report.
        options: Of the tool.
        values: steps, deterministic, environment.

    Raises:
        LeftOutError: Its host is not installed.
        RuntimeError: The training failed; the message is its last line.
    """
    host, _ = RECIPES[recipe]
    if importlib.util.find_spec(host) is None:
        raise LeftOutError(f'{host} is not installed')
    steps = values.get('steps', 6 if place.small else STEPS)
    work = Path(place.folder) / 'work' / f'{recipe.replace("/", "_")}_{name}'
    work.mkdir(parents=True, exist_ok=True)
    leaf = work.parent / f'{work.name}.py'
    more = NO_DROPOUT if recipe.startswith('seg/') else ''
    leaf.write_text(more + LEAF.format(
        base=str(config_path(recipe)), steps=steps, batch=4, every=steps,
        deterministic=values.get('deterministic', False),
    ))  # fmt: skip
    done_before = work / f'losses_{steps}.json'
    if done_before.is_file():  # by a call that was ended
        return json.loads(done_before.read_text())
    args = [tool_path('train.py'), str(leaf), '--work-dir', str(work)]
    args += ['--no-checks', *options]
    label = f'{recipe}_{name}'
    done = run(args, label, place, **values.get('environment', {}))
    if done.returncode:
        raise RuntimeError(f'{label}: {last_line(done)}')
    found = read_losses(work)
    done_before.write_text(json.dumps(found))
    return found


def read_losses(work: Path) -> list[float]:
    """Losses of the last run in a work dir, step by step."""
    logs = sorted(work.glob('*/vis_data/scalars.json'))
    lines = [json.loads(x) for x in logs[-1].read_text().splitlines()]
    return [line['loss'] for line in lines if 'loss' in line]


def group_of_one() -> dict[str, str]:
    """What torchrun says to a process that it starts alone."""
    with socket.socket() as one:
        one.bind(('127.0.0.1', 0))
        port = str(one.getsockname()[1])
    return dict(
        RANK='0', WORLD_SIZE='1', LOCAL_RANK='0', LOCAL_WORLD_SIZE='1',
        MASTER_ADDR='127.0.0.1', MASTER_PORT=port,
    )  # fmt: skip
