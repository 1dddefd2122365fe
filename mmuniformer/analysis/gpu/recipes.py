"""Part (a), too: what users run, on the toy world, by our tools."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from mmengine import load

from ...weights import files
from ..steps import tensors
from .items import Item, LeftOutError, Place, Result

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
AT_ONCE = 8
# Of which two runs are compared bit by bit.
SAME = (
    'cls/uniformer_toy', 'det/mask_rcnn_uniformer_toy', 'video/uniformer_toy'
)  # fmt: skip
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


def items(place: Place) -> list[Item]:
    """The items of this part."""
    return [
        Item('toy world', make_world, 120),
        Item('losses of 20 steps', losses, 240),
        Item('deterministic', deterministic, 180),
        Item('resume', resume, 150),
        Item('compile', compile_tools, 240),
    ]


def make_world(place: Place) -> Result:
    """Renders what the recipes read."""
    layouts = list(dict.fromkeys(layout for _, layout in RECIPES.values()))
    if place.small:
        layouts = layouts[:1]
    tool = tool_path('make_toyworld.py')
    counts = ('24', '8') if place.small else ('120', '16')
    args = ['--images-train', counts[0], '--images-val', counts[1]]
    args += ['--layouts', *layouts, '--size', '96' if place.small else '320']
    done = run([tool, *args], 'world', place)
    if done.returncode:
        raise RuntimeError(last_line(done))
    return dict(layouts=layouts, said=last_line(done))


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
    args: list[str], name: str, place: Place, hidden: bool = False
) -> 'subprocess.CompletedProcess[str]':
    """Runs one of our scripts; what it said is kept in a file.

    Args:
        args: Script and arguments.
        name: Of the file.
        place: Of the report.
        hidden: Without any GPU.
    """
    env = dict(os.environ, PYTHONPATH=python_path())
    env.setdefault('OMP_NUM_THREADS', '2')
    if hidden:
        env['CUDA_VISIBLE_DEVICES'] = ''
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
        values: steps, deterministic, hidden (no GPU).

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
    leaf.write_text(LEAF.format(
        base=str(config_path(recipe)), steps=steps, batch=4, every=steps,
        deterministic=values.get('deterministic', False),
    ))  # fmt: skip
    done_before = work / f'losses_{steps}.json'
    if done_before.is_file():  # by a call that was ended
        return json.loads(done_before.read_text())
    args = [tool_path('train.py'), str(leaf), '--work-dir', str(work)]
    args += ['--no-checks', *options]
    label = f'{recipe}_{name}'
    done = run(args, label, place, values.get('hidden', False))
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


def side_by_side(run: Callable[[Any], Any], jobs: list[Any]) -> list[Any]:
    """What a call gives for each job, or why it failed."""

    def one(job: Any) -> Any:
        try:
            return run(job)
        except (LeftOutError, RuntimeError) as reason:
            return str(reason)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, jobs))


def losses(place: Place) -> Result:
    """Of every recipe in two precisions on the device, and on the CPU.

    On a CPU mixed precision is single precision: all three are the same.
    """
    kinds: dict[str, tuple[str, ...]] = dict(
        cpu=(), fp16=('--amp', 'fp16'), bf16=('--amp', 'bf16')
    )

    def one(job: tuple[str, str]) -> Any:
        recipe, kind = job
        hidden = kind == 'cpu'
        return train(recipe, kind, place, *kinds[kind], hidden=hidden)

    recipes = list(RECIPES)[: 1 if place.small else None]
    jobs = [(recipe, kind) for recipe in recipes for kind in kinds]
    found = dict(zip(jobs, side_by_side(one, jobs)))
    result: Result = {}
    for recipe in recipes:
        exact = found[recipe, 'cpu']
        row: Result = {}
        result[recipe] = row
        for kind in kinds:
            got = found[recipe, kind]
            if isinstance(got, str):
                row[kind] = got
                continue
            row[kind] = dict(first=got[0], last=got[-1])
            if not isinstance(exact, str):
                pairs = list(zip(got, exact))
                row[kind]['apart'] = max(abs(a - b) / abs(b) for a, b in pairs)
    return result


def deterministic(place: Place) -> Result:
    """Two trainings of a recipe, bit by bit."""

    def one(job: tuple[str, int]) -> Any:
        recipe, number = job
        return train(
            recipe, f'same_{number}', place, '--amp', 'fp16',
            deterministic=True, steps=6,
        )  # fmt: skip

    recipes = SAME[: 1 if place.small else None]
    jobs = [(recipe, number) for recipe in recipes for number in range(2)]
    found = dict(zip(jobs, side_by_side(one, jobs)))
    result: Result = {}
    for recipe in recipes:
        first, second = (found[recipe, number] for number in range(2))
        result[recipe] = 'equal' if first == second else 'different'
        if isinstance(first, str):
            result[recipe] = first
    return result


def resume(place: Place) -> Result:
    """A training that is cut and goes on, against one that is not."""
    recipe = next(iter(RECIPES))

    def one(job: tuple[str, int]) -> None:
        train(recipe, job[0], place, steps=job[1], deterministic=True)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, [('whole', 6), ('cut', 3)]))
    train(recipe, 'cut', place, '--resume', steps=6, deterministic=True)
    work = Path(place.folder) / 'work'
    name = recipe.replace('/', '_')
    result: Result = {}
    both = [
        files.read(str(work / f'{name}_{kind}' / 'iter_6.pth'))
        for kind in ('whole', 'cut')
    ]
    for key in ('state_dict', 'ema_state_dict', 'optimizer'):
        pairs = list(zip(*(tensors(file[key]) for file in both), strict=True))
        different = sum(not torch.equal(a, b) for a, b in pairs)
        result[key] = dict(tensors=len(pairs), different=different)
    return result


def compile_tools(place: Place) -> Result:
    """``--compile`` of training and of testing, beside both without it."""
    recipe = next(iter(RECIPES))
    options = ('--amp', 'bf16')
    plain = train(recipe, 'bf16', place, *options)
    fast = train(recipe, 'compile', place, *options, '--compile')
    pairs = list(zip(fast, plain))
    wanted = scores(recipe, 'test', place)
    found = scores(recipe, 'test_compile', place, '--compile')
    return dict(
        steps=len(fast),
        apart=max(abs(a - b) / b for a, b in pairs),
        tested=len(wanted),
        scores_apart=float((found - wanted).abs().max()),
    )


def scores(
    recipe: str, name: str, place: Place, *options: str
) -> torch.Tensor:
    """Scores (images, classes) by ``tools/test.py`` of what was trained."""
    work = Path(place.folder) / 'work'
    trained = f'{recipe.replace("/", "_")}_bf16'
    out = work / f'{name}.pkl'
    done = run(
        [
            tool_path('test.py'), str(work / f'{trained}.py'),
            str(next((work / trained).glob('iter_*.pth'))),
            *('--work-dir', str(work / name), '--out', str(out)),
            *('--no-checks', *options),
        ],
        f'{recipe}_{name}', place,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f'{name}: {last_line(done)}')
    return torch.stack([found['pred_score'] for found in load(out)])
