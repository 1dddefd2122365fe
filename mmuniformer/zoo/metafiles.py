"""The index of models as OpenMMLab's tools read it.

``python -m mmuniformer.zoo.metafiles`` writes ``model-index.yml`` and the
``metafile.yml`` of each task from the table of published files; a test holds
them to it.
"""

from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from ..tasks import TASKS
from ..weights.published import Release, table

ROOT = Path(__file__).resolve().parents[2]
PAPER = dict(
    URL='https://arxiv.org/abs/2201.09450',
    Title=(
        'UniFormer: Unifying Convolution and Self-attention for Visual '
        'Recognition'
    ),
)
VIDEOS = {
    'k400': 'Kinetics-400',
    'k600': 'Kinetics-600',
    'ssv1': 'Something-Something V1',
    'ssv2': 'Something-Something V2',
    'ucf101': 'UCF101',
    'hmdb51': 'HMDB51',
}


def metrics(release: Release) -> dict[str, float]:
    """Published metrics by name."""
    pairs = (m.split('=') for m in release.metrics.split(';') if m)
    return {name: float(value) for name, value in pairs}


def results(release: Release) -> list[dict[str, Any]]:
    """Published metrics in the index's form."""
    found = metrics(release)
    return [
        dict(
            Task=task,
            Dataset=data or video_data(release),
            Metrics={
                new: found[old] for old, new in names.items() if old in found
            },
        )
        for task, data, names in TASKS[release.task].scores
    ]


def video_data(release: Release) -> str:
    """The data set that the name of a config ends in."""
    return next(v for k, v in VIDEOS.items() if f'_{k}' in release.config)


def entry(release: Release) -> dict[str, Any]:
    """One model of an index."""
    model = {
        'Name': release.name,
        'In Collection': 'UniFormer',
        'Config': f'configs/{release.config}.py',
        'Metadata': {
            'Parameters': round(float(release.params) * 1e6),
            'FLOPs': round(float(release.flops) * 1e9),
            'Input': release.input,
        },
        'Results': results(release),
    }
    return {**model, 'Weights': release.url} if release.url else model


def metafile(task: str) -> dict[str, Any]:
    """The index of one task."""
    collection = dict(
        Name='UniFormer',
        Paper=PAPER,
        License='Apache-2.0',
        Metadata=dict(Architecture=['UniFormer']),
    )
    models = [entry(r) for r in table().values() if r.task == task]
    return dict(Collections=[collection], Models=models)


def write(root: Path = ROOT) -> None:
    """Writes all files below ``root``."""
    for task in TASKS:
        _dump(metafile(task), root / f'configs/{task}/metafile.yml')
    paths = [f'configs/{task}/metafile.yml' for task in TASKS]
    _dump(dict(Import=paths), root / 'model-index.yml')


def _dump(content: dict[str, Any], path: Path) -> None:
    text = yaml.safe_dump(content, sort_keys=False, width=79)
    path.write_text(
        '# Written by python -m mmuniformer.zoo.metafiles.\n' + text
    )


if __name__ == '__main__':
    write()
