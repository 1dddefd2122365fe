"""tools/analysis/predict_rates.py: both sides do the work, in turns."""

from importlib.util import find_spec
from types import SimpleNamespace

import pytest

from mmuniformer.analysis import predict_rates
from mmuniformer.analysis.report import summary
from mmuniformer.errors import UserError
from mmuniformer.prediction import models
from mmuniformer.tasks import TASKS

SOURCES = dict(cls='imagenet/val', pose='coco/val2017')


@pytest.mark.parametrize('task', SOURCES)
def test_a_task_against_the_inferencer_of_its_host(
    task, predictor, work_dir, cwd
):
    if not find_spec(TASKS[task].host):
        pytest.skip(f'needs {TASKS[task].host}')
    options = dict(whole_image=True) if task == 'pose' else {}
    ours = predictor(task, **options)
    sources = [str(cwd / 'data' / SOURCES[task])]
    files = predict_rates.files_of(ours, sources, 2)
    found = models.find(str(work_dir(task)))
    results = predict_rates.compare(ours, found, files, rounds=1, whole=True)
    assert [row['name'] for row in results['rows']] == [
        'loop', 'list', 'predict',
    ]  # fmt: skip
    assert all(row['per_second'] > 0 for row in results['rows'])
    table = predict_rates.markdown(results)
    assert f"{TASKS[task].host}'s {results['inferencer']}, a file" in table
    assert f'| {results["rows"][2]["ratio"]:.2f} |' in table


def test_sides_take_turns_over_all_files():
    seen = []
    sides = {
        name: lambda files, name=name: seen.append((name, len(files)))
        for name in ('loop', 'predict')
    }
    times = predict_rates.race(sides, ['x'] * 20, 2)
    turn = [(name, count) for name in sides for count in (16, 20)]
    assert seen == [*turn, *turn]  # a few before each are not timed
    assert [len(spent) for spent in times.values()] == [2, 2]


def test_the_ratio_is_that_within_a_round():
    row = summary([1.0, 1.0, 2.0], [2.0, 4.0, 8.0], 1)
    assert (row['ratio'], row['per_second']) == (4, 1)


def test_what_one_of_the_sides_cannot_read(tmp_path):
    source = SimpleNamespace(path='a', kind='video', error='')
    ours = SimpleNamespace(
        kind=SimpleNamespace(clips=False), found=lambda _: [source]
    )
    with pytest.raises(UserError, match="'a': wanted a picture, got a video"):
        predict_rates.files_of(ours, 'a', 0)
    source.error = 'no such file'
    with pytest.raises(UserError, match="'a': no such file"):
        predict_rates.files_of(ours, 'a', 0)
    ours.found = lambda _: []
    with pytest.raises(UserError, match='wanted two pictures or more'):
        predict_rates.files_of(ours, 'a', 0)
