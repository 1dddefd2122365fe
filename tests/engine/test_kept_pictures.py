"""Decoded pictures that workers share."""

import os
import pickle

import numpy as np
import pytest
from mmengine.registry import TRANSFORMS

from mmuniformer.engine import kept_pictures
from mmuniformer.errors import UserError


class Load:
    """Makes a picture of a file's content, and counts how often."""

    def __init__(self, shape=(30, 40, 3)):
        self.shape, self.calls = shape, 0

    def __call__(self, results):
        self.calls += 1
        with open(results['img_path']) as file:
            seed = int(file.read())
        rng = np.random.default_rng(seed)
        results['img'] = rng.integers(0, 255, self.shape, np.uint8)
        results['img_shape'] = results['ori_shape'] = self.shape[:2]
        return results

    def __repr__(self):
        return f'Load({self.shape})'


@pytest.fixture
def paths(tmp_path):
    for number in range(5):
        (tmp_path / f'{number}').write_text(str(number))
    return [str(tmp_path / f'{number}') for number in range(5)]


def ask(transform, path):
    results = transform(dict(img_path=path, label=1))
    assert results['label'] == 1
    assert results['img_shape'] == results['ori_shape'] == (30, 40)
    return results['img']


def test_a_picture_is_decoded_once_and_is_the_same(paths):
    load, fresh = Load(), Load()
    keep = kept_pictures.KeepDecoded([load], gib=0.001)
    for _ in range(3):
        for path in paths:
            image = ask(keep, path)
            assert np.array_equal(image, ask(fresh, path))
            image[:] = 0  # by a later step
    assert load.calls == 5


def test_a_file_that_changes_is_decoded_again(paths):
    load = Load()
    keep = kept_pictures.KeepDecoded([load], gib=0.001)
    ask(keep, paths[0])
    with open(paths[0], 'w') as file:
        file.write('7')  # as many bytes
    os.utime(paths[0], (1, 1))
    assert np.array_equal(ask(keep, paths[0]), ask(Load(), paths[0]))


def test_what_is_full_keeps_what_is_in(paths):
    load, fresh = Load(), Load()
    size = 2.5 * 30 * 40 * 3 / 2**30
    keep = kept_pictures.KeepDecoded([load], gib=size)
    for _ in range(2):
        for path in paths:
            assert np.array_equal(ask(keep, path), ask(fresh, path))
    assert load.calls == 5 + 3


def test_workers_share_it_and_one_that_dies_takes_nothing(paths):
    load = Load()
    keep = kept_pictures.KeepDecoded([load], gib=0.001)
    for number, path in enumerate(paths[:2]):
        child = os.fork()
        if child == 0:
            ask(keep, path)
            if number:
                keep.kept.lock.acquire()
            os._exit(load.calls)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    for path in paths:
        assert np.array_equal(ask(keep, path), ask(Load(), path))
    assert load.calls == 3  # the lock is lost, what is in is not


def test_what_is_no_plain_picture_passes(paths):
    load = Load((30, 40))
    keep = kept_pictures.KeepDecoded([load], gib=0.001)
    assert ask(keep, paths[0]).shape == ask(keep, paths[0]).shape == (30, 40)
    assert load.calls == 2
    with pytest.raises(FileNotFoundError):
        keep(dict(img_path='/none'))


def test_options_that_make_no_sense(monkeypatch):
    keep = kept_pictures.KeepDecoded([Load()], gib=0.001)
    with pytest.raises(UserError, match='workers must be forks'):
        pickle.dumps(keep)
    monkeypatch.setattr(kept_pictures, 'available_bytes', lambda: 2 * 2**30)
    for gib in (0, -1, 3, '4', True):
        with pytest.raises(UserError, match=r'KeepDecoded\.gib='):
            kept_pictures.KeepDecoded([Load()], gib=gib)
    with pytest.raises(UserError, match='a list of one transform'):
        kept_pictures.KeepDecoded([Load(), Load()], gib=1)
    kind = TRANSFORMS.get('mmuniformer.KeepDecoded')
    assert kind is kept_pictures.KeepDecoded
