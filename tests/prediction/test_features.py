"""Features: kinds, and the same bytes however often it was interrupted."""

from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import load_file

from mmuniformer.errors import UserError
from mmuniformer.prediction import feature_files, features
from mmuniformer.prediction.sources import Source

from . import damaged

if not (find_spec('mmpretrain') and find_spec('mmaction')):
    pytest.skip('needs mmpretrain and mmaction', allow_module_level=True)
HERE = (0, 1)


@pytest.fixture
def folder(tmp_path, toy_data):
    folder = tmp_path / 'pictures'
    folder.mkdir()
    photos = sorted(toy_data.glob('coco/*2017/*.jpg'))
    for number, photo in enumerate(photos):
        (folder / f'{number}.jpg').write_bytes(photo.read_bytes())
    (folder / 'bad.jpg').write_bytes(b'')
    return folder


@pytest.fixture
def extractor(predictor):
    return features.Extractor(predictor('cls', batch=4))


def run(extractor, folder, out, shard=HERE):
    sources = list(extractor.predictor.found(folder))
    return list(extractor.run(sources, str(out), shard))


def contents(folder):
    return {p.name: p.read_bytes() for p in folder.rglob('*.npy')}


def test_an_interrupted_run_gives_the_files_of_one(
    extractor, folder, tmp_path
):
    done = run(extractor, folder, tmp_path / 'one')
    assert [s.path for s, error in done if error] == [str(folder / 'bad.jpg')]
    one = contents(tmp_path / 'one')
    assert len(one) == len(done) - 1
    sources = list(extractor.predictor.found(folder))
    for _ in zip(
        range(6), extractor.run(sources, str(tmp_path / 'two'), HERE)
    ):
        pass  # and leave it there
    first = contents(tmp_path / 'two')
    assert 0 < len(first) < len(one)
    run(extractor, folder, tmp_path / 'two')
    assert contents(tmp_path / 'two') == one


def test_shares_of_processes_are_the_whole(extractor, folder, tmp_path):
    run(extractor, folder, tmp_path / 'one')
    for number in (0, 1):
        run(extractor, folder, tmp_path / 'two', (number, 2))
    assert contents(tmp_path / 'two') == contents(tmp_path / 'one')


@pytest.mark.parametrize(
    'kind, shape',
    [('pooled', (192,)), ('stages', (416,)), ('tokens', (4, 192))],
)
def test_kinds(predictor, folder, tmp_path, kind, shape):
    made = features.Extractor(predictor('cls'), kind)
    run(made, folder, tmp_path / 'out')
    found = [np.load(p) for p in (tmp_path / 'out').glob('*.npy')]
    assert {array.shape for array in found} == {shape}


def test_the_mean_of_tokens_is_the_pooled_feature(predictor, folder, tmp_path):
    made = predictor('cls')
    (job,) = made.jobs([next(iter(made.found(folder / '0.jpg')))])
    samples = made.task.prepare(job)
    tokens = features.Extractor(made, 'tokens').compute(samples)[0]
    pooled = features.Extractor(made, 'pooled').compute(samples)[0]
    np.testing.assert_allclose(tokens.mean(0), pooled, rtol=0.02, atol=0.01)


def test_views_of_a_clip_are_averaged(predictor, tmp_path):
    damaged.copy(tmp_path, frame(tmp_path), 12)
    made = predictor('video')
    sources = list(made.found(tmp_path))
    found = features.Extractor(made)
    (done,) = found.run(sources, str(tmp_path / 'out'), HERE)
    assert done[1] == ''
    (path,) = (tmp_path / 'out').rglob('*.npy')
    assert np.load(path).shape == (192,)


def frame(folder):
    """A picture outside of the folder."""
    import cv2

    path = folder.parent / 'frame.jpg'
    cv2.imwrite(str(path), np.full((60, 80, 3), 90, np.uint8))
    return path


def test_one_file_of_all(extractor, folder, tmp_path):
    run(extractor, folder, tmp_path / 'out')
    path = tmp_path / 'all.safetensors'
    count = feature_files.join(str(tmp_path / 'out'), str(path))
    assert len(load_file(path)) == count == len(contents(tmp_path / 'out'))
    with pytest.raises(UserError, match=r'wanted \.safetensors'):
        feature_files.join(str(tmp_path / 'out'), 'all.zip')


@pytest.mark.parametrize('shape', [(), (3,), (4, 2)])
@pytest.mark.parametrize('count', [1, 12])
def test_a_file_that_grows_is_what_numpy_saves(tmp_path, shape, count):
    rows = np.random.default_rng(0).random((count, *shape), np.float32)
    growing = feature_files.Rows(tmp_path / 'sub/a.b.npy')
    growing.add(rows[0])  # and was killed
    growing = feature_files.Rows(tmp_path / 'sub/a.b.npy')
    for row in rows:
        growing.add(row)
    growing.close(count > 1)
    np.save(tmp_path / 'whole.npy', rows if count > 1 else rows[0])
    whole = (tmp_path / 'whole.npy').read_bytes()
    assert growing.path.read_bytes() == whole
    assert list(growing.path.parent.iterdir()) == [growing.path]


def test_a_long_video_is_written_as_it_comes(tmp_path):
    """What has not been written is less than a batch, at any time."""
    source = Source('a/long.mp4', 'video', 'long')
    task = SimpleNamespace(key=lambda sample: 0)
    extractor = SimpleNamespace(
        predictor=SimpleNamespace(batch=4, task=task),
        compute=lambda samples: [np.full(2, s, np.float32) for s in samples],
        moving=False,
    )
    group = features.Group(extractor, [source], str(tmp_path))
    for number in range(10):
        group.add(source, [number], '')
        waiting = sum(map(len, group.waiting.values()))
        assert waiting < 4 and not group.rows and len(group.owners) == waiting
    assert list(group.close()) == [(source, '')]
    found = np.load(tmp_path / 'long.mp4.npy')
    assert found[:, 0].tolist() == list(range(10))


def test_nothing_is_left_of_a_video_that_ends_too_early(extractor, tmp_path):
    source = Source('a/cut.mp4', 'video', 'cut')
    group = features.Group(extractor, [source], str(tmp_path))
    group.files[source.path].add(np.zeros(2))
    group.add(source, [], 'it ends after 1 of 9 frames')
    assert list(group.close()) == [(source, 'it ends after 1 of 9 frames')]
    assert not list(tmp_path.iterdir())
