"""mmaction2's functions, inferencers and tools on our configs."""

import pickle

import numpy as np
import pytest

from mmuniformer.toyworld import World, write_world

from .made import QUICK, assert_layer_decay, config, write_checkpoint

pytest.importorskip('mmaction')
pytest.importorskip('decord')
import decord
from mmaction.apis import (
    MMAction2Inferencer,
    inference_recognizer,
    init_recognizer,
)

VIDEO, FRAMES = 'video/uniformer_toy', 'video/uniformer_xxs_toy'


@pytest.fixture(scope='module')
def cwd(tmp_path_factory):
    """A folder with a few videos, and with their frames."""
    folder = tmp_path_factory.mktemp('clips')
    world = World(images_train=2, images_val=2)
    write_world(folder / 'data', world, ['kinetics', 'ssv'])
    return folder


@pytest.fixture(scope='module')
def weights(cwd):
    louder = ['cls_head.fc']
    return {n: write_checkpoint(n, cwd, louder) for n in (VIDEO, FRAMES)}


@pytest.fixture(scope='module')
def models(weights):
    return {
        name: init_recognizer(config(name), path, device='cpu')
        for name, path in weights.items()
    }


@pytest.fixture(scope='module')
def videos(cwd):
    return sorted(map(str, (cwd / 'data/kinetics400/val').iterdir()))


@pytest.fixture(scope='module')
def folders(cwd):
    root = cwd / 'data/sthv1/20bn-something-something-v1'
    return sorted(map(str, root.glob('100*')))


def scores(sample):
    return sample.pred_score.numpy()


def of_frames(folder):
    return dict(
        frame_dir=folder,
        total_frames=24,
        filename_tmpl='{:05}.jpg',
        start_index=1,
        modality='RGB',
        label=-1,
    )


@pytest.mark.parametrize('name', [VIDEO, FRAMES])
def test_functions_give_what_our_test_gives(
    name, models, weights, run_script, cwd, videos, folders
):
    run_script(
        None, 'test.py', config(name), weights[name], '--out', 'clips.pkl',
        *QUICK,
    )  # fmt: skip
    tested = pickle.loads((cwd / 'clips.pkl').read_bytes())
    inputs = videos if name == VIDEO else map(of_frames, folders)
    for found, one in zip(tested, inputs, strict=True):
        sample = inference_recognizer(models[name], one)
        np.testing.assert_allclose(
            found['pred_score'], scores(sample), rtol=1e-4, atol=1e-6
        )


def inferred(name, weights, inputs, kind, **kwargs):
    inferencer = MMAction2Inferencer(
        config(name), weights[name], device='cpu', input_format=kind
    )
    results = inferencer(inputs, **kwargs)['predictions']
    return [result['rec_scores'][0] for result in results]


def test_inferencer_of_videos(models, weights, videos):
    found = inferred(VIDEO, weights, videos, 'video')
    for path, one in zip(videos, found, strict=True):
        wanted = scores(inference_recognizer(models[VIDEO], path))
        np.testing.assert_allclose(one, wanted, rtol=1e-4, atol=1e-6)


def test_inferencer_of_arrays(models, weights, videos):
    reader = decord.VideoReader(videos[0])
    array = np.stack([frame.asnumpy() for frame in reader])
    (found,) = inferred(VIDEO, weights, [array], 'array')
    wanted = scores(inference_recognizer(models[VIDEO], videos[0]))
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ('tool', 'options'),
    [
        ('analysis_tools/get_flops.py', ['--shape', 1, 3, 8, 48, 48]),
        ('analysis_tools/print_config.py', []),
        (
            'visualizations/vis_scheduler.py',
            ['--not-show', '-d100', '--save-path=rates.png'],
        ),
    ],
)
def test_tools(run_script, tool, options):
    run_script('mmaction', tool, config(VIDEO), *options)


def test_own_test_script_draws(run_script, weights, cwd):
    run_script(
        'mmaction', 'test.py', config(VIDEO), weights[VIDEO], '--show-dir',
        'seen', '--interval', 1, *QUICK,
    )  # fmt: skip
    names = sorted(path.name for path in (cwd / 'seen').iterdir())
    assert names == ['000000_00000001.jpg', '000001_00000002.jpg']


@pytest.mark.parametrize('mode', ['original', 'concat', 'pipeline'])
def test_browsing_shows_each_step(run_script, cwd, mode, monkeypatch):
    """The steps of the test; moviepy, which writes the films, may lack."""
    from mmaction.visualization import LocalVisBackend

    written = cwd / f'{mode}.npz'
    monkeypatch.setattr(
        LocalVisBackend,
        'add_video',
        lambda self, name, frames, **kw: np.savez(written, frames),
    )
    run_script(
        'mmaction', 'visualizations/browse_dataset.py', config(VIDEO),
        'browsed', '--phase', 'test', '--mode', mode, '-n', 1,
    )  # fmt: skip
    with np.load(written) as file:
        frames = file['arr_0']
    assert len(frames) == 8 and frames.std() > 10
    if mode == 'pipeline':  # the decoded frame, the smaller one, the square
        assert frames.shape[2] > 80 + 60 + 48


def test_layer_decay(models):
    assert_layer_decay(models[VIDEO], 'cls_head.')
