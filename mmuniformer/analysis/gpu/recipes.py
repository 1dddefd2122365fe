"""Part (a), too: what users run, on the toy world, by our tools."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import torch
from mmengine import load

from ...weights import files
from ..steps import tensors
from .items import Item, LeftOutError, Place, Result
from .toys import RECIPES, group_of_one, last_line, run, tool_path, train

AT_ONCE = 8
# Of which two runs are compared bit by bit.
SAME = (
    'cls/uniformer_toy', 'det/mask_rcnn_uniformer_toy', 'video/uniformer_toy'
)  # fmt: skip


def items(place: Place) -> list[Item]:
    """The items of this part."""
    recipes = list(RECIPES)[: 1 if place.small else None]
    return [
        Item('toy world', make_world, 120),
        *(Item(f'20 steps: {r}', partial(losses, r), 120) for r in recipes),
        Item('deterministic', deterministic, 180),
        Item('resume', resume, 150),
        Item('compile', compile_tools, 240),
        Item('a group of one process', grouped, 150),
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


def side_by_side(run: Callable[[Any], Any], jobs: list[Any]) -> list[Any]:
    """What a call gives for each job, or why it failed."""

    def one(job: Any) -> Any:
        try:
            return run(job)
        except (LeftOutError, RuntimeError) as reason:
            return str(reason)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, jobs))


def losses(recipe: str, place: Place) -> Result:
    """Of a recipe in two precisions on the device, and on the CPU.

    Without a GPU float16 is single precision: the same numbers.
    """
    kinds: dict[str, tuple[str, ...]] = dict(
        cpu=(), fp16=('--amp', 'fp16'), bf16=('--amp', 'bf16')
    )

    def one(kind: str) -> Any:
        hidden = dict(CUDA_VISIBLE_DEVICES='') if kind == 'cpu' else {}
        return train(recipe, kind, place, *kinds[kind], environment=hidden)

    found = dict(zip(kinds, side_by_side(one, list(kinds))))
    exact = found['cpu']
    result: Result = {}
    for kind, got in found.items():
        if isinstance(got, str):
            result[kind] = got
            continue
        result[kind] = dict(first=got[0], last=got[-1])
        if not isinstance(exact, str):
            pairs = list(zip(got, exact))
            result[kind]['apart'] = max(abs(a - b) / abs(b) for a, b in pairs)
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


def grouped(place: Place) -> Result:
    """A training in DDP, over NCCL on a GPU, beside one without.

    The recipe of segmentation has SyncBN, too.
    """
    recipes = ['cls/uniformer_toy', 'seg/fpn_uniformer_toy']
    result: Result = {}
    for recipe in recipes[: 1 if place.small else None]:
        alone = train(recipe, 'alone', place, steps=6)
        found = train(
            recipe, 'group', place, '--launcher', 'pytorch',
            steps=6, environment=group_of_one(),
        )  # fmt: skip
        pairs = zip(found, alone, strict=True)
        result[recipe] = dict(
            steps=len(found), apart=max(abs(a - b) / abs(b) for a, b in pairs)
        )
    return result
