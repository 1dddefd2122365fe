"""mmdet's functions, inferencer and tools on our configs."""

import copy
import pickle

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from .made import QUICK, assert_layer_decay, config, picture, write_checkpoint

pytest.importorskip('mmdet')
import mmdet.visualization  # noqa: F401
from mmdet.apis import DetInferencer, inference_detector, init_detector

NAME = 'det/mask_rcnn_uniformer_toy'


@pytest.fixture(scope='module')
def weights(cwd):
    return write_checkpoint(NAME, cwd, ['fc_cls'], 1000)


@pytest.fixture(scope='module')
def model(weights):
    return init_detector(config(NAME), weights, device='cpu')


@pytest.fixture(scope='module')
def pictures(cwd):
    folder = (cwd / 'data/coco/val2017').resolve()
    return sorted(map(str, folder.iterdir()))[:2]


def numbers(sample):
    found = sample.pred_instances.numpy()
    assert len(found)
    return found.bboxes, found.scores, found.labels, found.masks


def same(a, b):
    for one, other in zip(numbers(a), numbers(b), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-4)


def test_classes_and_colours_of_the_checkpoint(model):
    assert model.dataset_meta['classes'][:2] == ('person', 'bicycle')
    assert len(model.dataset_meta['palette']) == 80


def test_paths_arrays_and_lists_give_the_same(model, pictures):
    arrays = [cv2.imread(path) for path in pictures[:2]]
    of_paths = inference_detector(model, pictures[:2])
    # A model that has seen an array no longer reads paths (mmdet 3.3.0
    # changes the config of the model).
    other_model = copy.deepcopy(model)
    for one, other in zip(
        of_paths, inference_detector(other_model, arrays), strict=True
    ):
        same(one, other)
    same(of_paths[0], inference_detector(model, pictures[0]))


@pytest.fixture(scope='module')
def inferencer(weights):
    return DetInferencer(
        config(NAME), weights, device='cpu', show_progress=False
    )


def test_inferencer_gives_what_the_function_gives(model, inferencer, pictures):
    found = inferencer(pictures, batch_size=1, return_datasamples=True)
    for path, sample in zip(pictures, found['predictions'], strict=True):
        same(sample, inference_detector(model, path))


def test_inferencer_draws_a_batch_and_writes_it(inferencer, pictures, cwd):
    out = cwd / 'inferred_det'
    inferencer(pictures, batch_size=2, out_dir=str(out), no_save_pred=False)
    for folder in ('vis', 'preds'):
        assert len(list((out / folder).iterdir())) == len(pictures)


def test_grey_and_turned_pictures(model, inferencer, cwd):
    Image.fromarray(picture()[..., 0]).save(cwd / 'grey.png')
    turned = Image.fromarray(picture())
    turned.getexif()[0x0112] = 6
    turned.save(cwd / 'turned.jpg', exif=turned.getexif())
    paths = [str(cwd / 'grey.png'), str(cwd / 'turned.jpg')]
    samples = inference_detector(model, paths)
    assert [s.ori_shape for s in samples] == [(96, 128), (128, 96)]
    assert len(inferencer(paths, batch_size=2)['predictions']) == 2


def test_functions_give_what_our_test_gives(
    model, weights, run_script, cwd, pictures
):
    run_script(
        None, 'test.py', config(NAME), weights, '--out', 'det.pkl', *QUICK
    )
    tested = pickle.loads((cwd / 'det.pkl').read_bytes())
    for found in tested[:2]:
        sample = inference_detector(model, str(cwd / found['img_path']))
        for key in ('bboxes', 'scores'):
            np.testing.assert_allclose(
                found['pred_instances'][key],
                sample.pred_instances[key],
                rtol=1e-4,
                atol=1e-3,
            )


@pytest.mark.parametrize(
    ('tool', 'options'),
    [
        ('analysis_tools/browse_dataset.py', ['--not-show', '--output-dir=b']),
        ('analysis_tools/get_flops.py', ['--num-images=1']),
        ('misc/print_config.py', []),
    ],
)
def test_tools(run_script, tool, options):
    run_script('mmdet', tool, config(NAME), *options)


def test_published_file_is_the_model(run_script, weights, cwd, model):
    run_script(
        'mmdet', 'model_converters/publish_model.py', weights, 'public.pth'
    )
    (public,) = cwd.glob('public-*.pth')
    again = init_detector(config(NAME), str(public), device='cpu')
    wanted = model.state_dict()
    for key, value in again.state_dict().items():
        assert torch.equal(value, wanted[key])


def test_layer_decay(model):
    assert_layer_decay(model, 'roi_head.')
