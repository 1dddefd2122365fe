"""Writes worlds: every scene is drawn once, for all layouts together."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from .ade import ADE
from .coco import COCO
from .folder import Folder, write_json, write_text
from .imagenet import IMAGENET
from .keypoints import KEYPOINTS
from .kinetics import KINETICS
from .layout import Layout, Shot
from .ssv import SSV
from .workers import spread
from .world import World

Progress = Callable[[int, int], None]
LAYOUTS: dict[str, Layout] = {
    'coco': COCO,
    'keypoints': KEYPOINTS,
    'ade': ADE,
    'imagenet': IMAGENET,
}
# Of clips: each takes as long as several pictures, so on demand only.
CLIP_LAYOUTS: dict[str, Layout] = {'kinetics': KINETICS, 'ssv': SSV}
_ALL = {**LAYOUTS, **CLIP_LAYOUTS}


class _Job(NamedTuple):
    """A layout to write."""

    name: str
    root: Path
    draws: bool


def write_world(
    out: Path | str,
    world: World,
    layouts: Sequence[str] = tuple(LAYOUTS),
    workers: int = 1,
    force: bool = False,
    progress: Progress | None = None,
) -> list[str]:
    """Writes a toy world in some layouts.

    Args:
        out: The folder that configs call ``data``.
        world: What to write.
        layouts: Some of ``LAYOUTS`` and ``CLIP_LAYOUTS``.
        workers: Number of processes; the files do not depend on it.
        force: Write even if the same or another toy world is there.
        progress: Called with the pictures, or clips, done and their number.

    Returns:
        The layouts that were written: those that were not there already,
        complete and of exactly this world. Where pictures have to be drawn
        anew, the other layouts found in their folder are renewed, too.

    Raises:
        FileExistsError: Data of another origin is there, or another toy world
            and not ``force``. Nothing was changed.
    """
    unknown = ', '.join(name for name in layouts if name not in _ALL)
    if unknown:
        raise ValueError(
            f'layouts={unknown}: wanted some of {", ".join(_ALL)}'
        )
    places = {name: Path(out) / _ALL[name].path for name in layouts}
    return _write(places, world, workers, force, progress)


def write_coco(
    root: Path | str,
    world: World,
    workers: int = 1,
    force: bool = False,
    progress: Progress | None = None,
) -> bool:
    """Writes COCO instances alone; see :func:`write_world`.

    Args:
        root: The folder that configs call ``data/coco``.
        world: What to write.
        workers: Number of processes.
        force: Write even if the same or another toy world is there.
        progress: Called with the pictures done and their number.

    Returns:
        Whether there was anything to do.
    """
    place = {'coco': Path(root)}
    return bool(_write(place, world, workers, force, progress))


def _write(
    places: Mapping[str, Path],
    world: World,
    workers: int,
    force: bool,
    progress: Progress | None,
) -> list[str]:
    """Writes each layout into its place."""
    jobs = _prepare(places, world, force)
    if not jobs:
        return []
    labels: list[list[Any]] = [[] for _ in jobs]
    total = sum(1 for _ in world.keys())
    make = partial(_make, world, jobs)
    with closing(spread(make, world.keys(), workers)) as results:
        for done, found in enumerate(results, 1):
            for label, collection in zip(found, labels, strict=True):
                collection.append(label)
            if progress:
                progress(done, total)
    for job, collection in zip(jobs, labels, strict=True):
        layout = _ALL[job.name]
        for name, lines in layout.lists.items():
            text = ''.join(f'{line}\n' for line in lines(world.info()))
            write_text(job.root / name, text)
        contents = layout.compose(world, collection)
        for name, content in zip(layout.files, contents, strict=True):
            write_json(job.root / name, content)
    return [job.name for job in jobs]


def _prepare(
    places: Mapping[str, Path], world: World, force: bool
) -> list[_Job]:
    """Looks at all folders, then makes room in them."""
    wanted: dict[Path, list[str]] = {}
    for name, root in places.items():
        wanted.setdefault(root, []).append(name)
    jobs, stale = [], []
    for root, names in wanted.items():
        first = _ALL[names[0]]
        files = {n: x.files for n, x in _ALL.items() if x.path == first.path}
        folder = Folder(root, files, first.pictures, first.lists)
        todo, draws = folder.plan(world, force, names)
        if draws:
            stale.append(folder)
        for name in todo:
            # One of the layouts draws the pictures that they share.
            jobs.append(_Job(name, root, draws and name == todo[0]))
    for folder in stale:
        folder.clear(world)
    return jobs


def _make(world: World, jobs: list[_Job], key: tuple[str, int]) -> list[Any]:
    """Draws a picture into its files; returns its labels, one per job."""
    shot = Shot(world, *key)
    for job in jobs:
        if job.draws:
            _ALL[job.name].draw(job.root, shot)
    return [_ALL[job.name].label(shot) for job in jobs]
