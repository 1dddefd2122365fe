"""Files per second of ``predict`` and of the host's own inferencer.

Both read the same files and take turns in one process, so that what else the
machine does meets both, and so does how the process keeps its memory.
"""

import contextlib
import inspect
import io
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from ..errors import UserError
from ..prediction.predictor import Predictor
from ..tasks import HOSTS, resolve
from .measure import progress
from .report import machine, summary

Side = Callable[[list[str]], Any]  # predicts files
WARM = 16  # files before a turn that are not timed


def files_of(predictor: Predictor, sources: Any, number: int) -> list[str]:
    """The files to predict, all that both sides can read.

    Args:
        predictor: Says whether it wants pictures or clips.
        sources: As of ``predict``.
        number: At most so many; 0: all.

    Raises:
        UserError: There are none, or there is something else.
    """
    wanted = 'video' if predictor.kind.clips else 'picture'
    files = []
    for source in predictor.found(sources):
        if source.error or source.kind != wanted:
            raise UserError(
                f'SOURCE={source.path!r}: '
                f'{source.error or f"wanted a {wanted}, got a {source.kind}"}'
            )
        files.append(source.path)
        if len(files) == number:
            break
    if len(files) < 2:
        raise UserError(f'SOURCE: wanted two {wanted}s or more')
    return files


def inferencer(
    cfg: Config, checkpoint: str, device: str
) -> Callable[[Any, int], Any]:
    """The host's inferencer, called with a file or with files and a batch.

    It writes and draws nothing, and shows no progress where that can be
    switched off. Of pose it takes each picture for one person.

    Args:
        cfg: Whole config.
        checkpoint: Weights.
        device: 'cpu', 'cuda'.
    """
    init_default_scope(cfg.default_scope)  # mmpretrain's does not
    kind = resolve(HOSTS[cfg.default_scope].inferencer)
    known = inspect.signature(kind).parameters
    weights = 'weights' if 'weights' in known else 'pretrained'
    options = {weights: checkpoint, 'device': device}
    if 'det_model' in known:
        options['det_model'] = 'whole_image'
    built = kind(cfg, **options)
    built.show_progress = False
    bar = sys.modules.get(f'{cfg.default_scope}.utils.progress')
    if bar is not None:  # mmpretrain's, for all of the process
        vars(bar)['disable_progress_bar'] = True

    def call(files: Any, batch: int) -> None:
        answer = built(files, batch_size=batch)
        if inspect.isgenerator(answer):
            list(answer)

    return call


def sides_of(
    predictor: Predictor, call: Callable[[Any, int], Any], whole: bool
) -> dict[str, Side]:
    """Who takes part: first the loop, which the others are compared with.

    Args:
        predictor: Ours.
        call: The host's inferencer.
        whole: Whether it gets all files at once, too, in batches.
    """

    def loop(files: list[str]) -> None:
        for file in files:
            call(file, 1)

    def predict(files: list[str]) -> None:
        for prediction in predictor.stream(files):
            if prediction.error:
                path = prediction.source.path
                raise UserError(f'SOURCE={path!r}: {prediction.error}')

    sides: dict[str, Side] = dict(loop=loop)
    if whole:
        sides['list'] = lambda files: call(files, predictor.batch)
    return dict(sides, predict=predict)


def race(
    sides: dict[str, Side], files: list[str], rounds: int
) -> dict[str, list[float]]:
    """Seconds per file, by side and round; the sides take turns.

    Args:
        sides: Of :func:`sides_of`.
        files: What each predicts in each round.
        rounds: How many.
    """
    times: dict[str, list[float]] = {name: [] for name in sides}
    nowhere = io.StringIO()  # what inferencers print would be in the table
    for number in range(1, rounds + 1):
        for name, side in sides.items():
            with contextlib.redirect_stdout(nowhere):
                side(files[:WARM])  # the others had the caches
                start = time.perf_counter()
                side(files)
                spent = time.perf_counter() - start
            times[name].append(spent / len(files))
        rates = ', '.join(
            f'{name} {1 / spent[-1]:.1f}' for name, spent in times.items()
        )
        progress(f'round {number}/{rounds}, files per s: {rates}')
    return times


def compare(
    predictor: Predictor,
    found: tuple[Config, str],
    files: list[str],
    rounds: int = 3,
    whole: bool = False,
) -> dict[str, Any]:
    """Measures both sides.

    Args:
        predictor: Ours.
        found: Config, as it is read, and weights for the host's inferencer.
        files: Of :func:`files_of`.
        rounds: How many turns each side has.
        whole: See :func:`sides_of`.

    Returns:
        What :func:`markdown` writes.
    """
    with contextlib.redirect_stdout(io.StringIO()):
        call = inferencer(*found, predictor.device)
    times = race(sides_of(predictor, call, whole), files, rounds)
    threads = torch.get_num_threads()
    return dict(
        device=machine(predictor.device, threads),
        torch=torch.__version__,
        environment={
            name: value
            for name, value in os.environ.items()
            if name.startswith('OMP_')
        },
        scope=predictor.scope,
        inferencer=HOSTS[str(predictor.scope)].inferencer.partition(':')[2],
        files=len(files),
        rounds=rounds,
        batch=predictor.batch,
        lanes=predictor.lanes,
        rows=[
            dict(name=name, **summary(spent, times['loop'], 1))
            for name, spent in times.items()
        ],
    )


def markdown(results: dict[str, Any]) -> str:
    """A table, under one line on the conditions."""
    host = f"{results['scope']}'s {results['inferencer']}"
    words = dict(
        loop=f'{host}, a file per call',
        list=f'{host}, one call, batches of {results["batch"]}',
        predict=f'predict, batches of {results["batch"]}',
    )
    lines = [
        f'{results["device"]}, torch {results["torch"]}; '
        f'{results["files"]} files, {results["rounds"]} rounds, in turns',
        '',
        '| | files/s | spread | ratio |',
        '| --- | ---: | ---: | ---: |',
    ]
    for row in results['rows']:
        lines.append(
            f'| {words[row["name"]]} | {row["per_second"]:.4g} '
            f'| {row["spread"]:.0%} | {row["ratio"]:.2f} |'
        )
    return '\n'.join(lines)
