"""mmseg's functions, inferencer and tools on our configs."""

import copy
import pickle

import cv2
import numpy as np
import pytest
from PIL import Image

from .made import QUICK, assert_layer_decay, config, picture, write_checkpoint

pytest.importorskip('mmseg')
from mmseg.apis import MMSegInferencer, inference_model, init_model

NAME = 'seg/fpn_uniformer_toy'


@pytest.fixture(scope='module')
def weights(cwd):
    return write_checkpoint(NAME, cwd, ['conv_seg'])


@pytest.fixture(scope='module')
def model(weights):
    return init_model(config(NAME), weights, device='cpu')


@pytest.fixture(scope='module')
def pictures(cwd):
    folder = cwd / 'data/ade/ADEChallengeData2016/images/validation'
    return sorted(map(str, folder.resolve().iterdir()))


def labels(sample):
    found = sample.pred_sem_seg.data[0].numpy()
    assert len(np.unique(found)) > 1
    return found


def test_classes_and_colours_of_the_checkpoint(model):
    assert model.dataset_meta['classes'][:2] == ('wall', 'building')
    assert len(model.dataset_meta['palette']) == 150


def test_paths_arrays_and_lists_give_the_same(model, pictures):
    arrays = [cv2.imread(path) for path in pictures[:2]]
    of_paths = inference_model(model, pictures[:2])
    # A model that has seen an array no longer reads paths (mmseg 1.2.2
    # changes the config of the model).
    other_model = copy.deepcopy(model)
    for one, other in zip(
        of_paths, inference_model(other_model, arrays), strict=True
    ):
        assert np.array_equal(labels(one), labels(other))
    one = inference_model(model, pictures[0])
    assert np.array_equal(labels(one), labels(of_paths[0]))


@pytest.fixture(scope='module')
def inferencer(weights):
    return MMSegInferencer(config(NAME), weights, device='cpu')


def test_inferencer_gives_what_the_function_gives(model, inferencer, pictures):
    found = inferencer(pictures, batch_size=len(pictures))['predictions']
    for path, one in zip(pictures, found, strict=True):
        assert np.array_equal(one, labels(inference_model(model, path)))


def test_inferencer_draws_and_writes(inferencer, pictures, tmp_path):
    inferencer(pictures, out_dir=str(tmp_path))
    for folder in ('vis', 'pred'):
        written = list((tmp_path / folder).iterdir())
        assert len(written) == len(pictures)


def test_grey_pictures(model, cwd):
    Image.fromarray(picture()[..., 0]).save(cwd / 'grey.png')
    sample = inference_model(model, str(cwd / 'grey.png'))
    assert labels(sample).shape == (96, 128)


def test_functions_give_what_our_test_gives(model, weights, run_script, cwd):
    run_script(
        None, 'test.py', config(NAME), weights, '--out', 'seg.pkl', *QUICK
    )
    tested = pickle.loads((cwd / 'seg.pkl').read_bytes())
    for found in tested:
        sample = inference_model(model, str(cwd / found['img_path']))
        assert np.array_equal(found['pred_sem_seg']['data'][0], labels(sample))


@pytest.mark.parametrize(
    ('tool', 'options'),
    [
        ('analysis_tools/browse_dataset.py', ['--not-show', '--output-dir=b']),
        ('misc/print_config.py', ['--graph']),
    ],
)
def test_tools(run_script, tool, options):
    run_script('mmseg', tool, config(NAME), *options)


def test_own_test_script_draws(run_script, weights, cwd):
    run_script(
        'mmseg', 'test.py', config(NAME), weights, '--work-dir', 'own',
        '--show-dir', 'seen', *QUICK,
        'default_hooks.visualization.interval=1',
    )  # fmt: skip
    assert len(list(cwd.glob('**/vis_image/test_*'))) == 4


def test_layer_decay(model):
    assert_layer_decay(model, 'decode_head.')
