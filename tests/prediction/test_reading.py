"""Who reads: this process, or others where that is sooner."""

import time

import pytest

from mmuniformer.errors import UserError
from mmuniformer.prediction import models, reading
from mmuniformer.prediction.sources import Source
from mmuniformer.prediction.tasks import Job


class Task:
    """Takes some time for an input."""

    def __init__(self, seconds=0.0):
        self.seconds = seconds

    def prepare(self, job):
        time.sleep(self.seconds)
        return [10 * job.order]


def jobs(count):
    return (Job(i, Source(str(i), 'picture', '')) for i in range(count))


@pytest.mark.parametrize('count', [0, 1, 2, 5])
def test_all_jobs_are_read_in_order(count):
    several, read = reading.start(Task(), jobs(count), None)
    assert several == (count > 1)
    found = [(job.order, samples) for job, samples, _ in read]
    assert found == [(i, [10 * i]) for i in range(count)]


@pytest.mark.parametrize(
    ('seconds', 'workers', 'started'),
    [(0.06, None, 3), (0, None, 0), (0, 2, 2)],
)
def test_processes_read_what_takes_long(
    monkeypatch, seconds, workers, started
):
    asked = []

    def loader(*args, num_workers, **options):
        asked.append(num_workers)
        return ()

    monkeypatch.setattr(reading, 'DataLoader', loader)
    monkeypatch.setattr(reading, 'default_workers', lambda: 3)
    reading.start(Task(seconds), jobs(4), workers)
    assert asked == [started]


def test_a_config_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / 'config.py').write_text('model = (')
    with pytest.raises(UserError, match=r'config=.*cannot be read.*line 1'):
        models.find(str(tmp_path))
