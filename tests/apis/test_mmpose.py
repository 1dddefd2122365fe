"""mmpose's functions, inferencer and tools on our configs."""

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest

from .made import QUICK, assert_layer_decay, config, picture, write_checkpoint

pytest.importorskip('mmpose')
pytest.importorskip('mmdet')
import mmdet.apis  # noqa: F401
from mmpose.apis import MMPoseInferencer, inference_topdown, init_model

NAME = 'pose/topdown_uniformer_toy'
DETECTOR = 'det/mask_rcnn_uniformer_toy'
BOXES = [[10, 5, 60, 90], [50, 20, 110, 80]]


@pytest.fixture(scope='module')
def weights(cwd):
    return write_checkpoint(NAME, cwd, ['final_layer'])


@pytest.fixture(scope='module')
def model(weights):
    return init_model(config(NAME), weights, device='cpu')


@pytest.fixture(scope='module')
def pictures(cwd):
    return sorted(map(str, (cwd / 'data/coco/val2017').resolve().iterdir()))


def joints(sample):
    return sample.pred_instances.keypoints


def test_people_in_boxes_of_both_formats(model, pictures):
    found = inference_topdown(model, pictures[0], BOXES)
    assert [joints(sample).shape for sample in found] == [(1, 17, 2)] * 2
    boxes = np.array(BOXES) - [[0, 0, x, y] for x, y, *_ in BOXES]
    again = inference_topdown(
        model, cv2.imread(pictures[0]), boxes, bbox_format='xywh'
    )
    for one, other in zip(found, again, strict=True):
        np.testing.assert_allclose(joints(one), joints(other))


def test_a_whole_image_is_one_box(model, pictures):
    height, width = cv2.imread(pictures[0]).shape[:2]
    (found,) = inference_topdown(model, pictures[0])
    (wanted,) = inference_topdown(model, pictures[0], [[0, 0, width, height]])
    np.testing.assert_allclose(joints(found), joints(wanted))


def test_own_test_script_draws_an_image_once(run_script, weights, cwd):
    run_script(
        'mmpose', 'test.py', config(NAME), weights, '--work-dir', 'own',
        '--show-dir', 'seen', *QUICK,
    )  # fmt: skip
    names = [path.name for path in cwd.glob('own/*/seen/*')]
    assert names and len(names) == len(set(names))


def test_inferencer_of_whole_images(model, weights, pictures):
    inferencer = MMPoseInferencer(
        config(NAME), weights, det_model='whole_image', device='cpu'
    )
    results = list(inferencer([*pictures[:2], picture()], return_vis=True))
    assert len(results) == 3
    ((person,),) = results[0]['predictions']
    (wanted,) = inference_topdown(model, pictures[0])
    np.testing.assert_allclose(person['keypoints'], joints(wanted)[0])
    assert results[2]['visualization'][0].shape == picture().shape


def test_inferencer_with_our_detector(weights, pictures, cwd):
    """Both are UniFormers, and one picture comes of an image."""
    louder = ['fc_cls']
    inferencer = MMPoseInferencer(
        config(NAME),
        weights,
        det_model=config(DETECTOR),
        det_weights=write_checkpoint(DETECTOR, cwd, louder, 1000),
        det_cat_ids=list(range(80)),
        device='cpu',
    )
    results = list(inferencer(pictures[:1], out_dir=str(cwd / 'inferred')))
    assert max(len(r['predictions'][0]) for r in results) > 1
    names = [p.name for p in (cwd / 'inferred/visualizations').iterdir()]
    assert names == [Path(pictures[0]).name]


def test_functions_give_what_our_test_gives(model, weights, run_script, cwd):
    run_script(
        None, 'test.py', config(NAME), weights, '--out', 'pose.pkl', *QUICK,
        'test_dataloader.dataset.bbox_file=None',
        'test_evaluator.score_mode=bbox',
    )  # fmt: skip
    tested = pickle.loads((cwd / 'pose.pkl').read_bytes())
    for found in tested[:4]:
        box = found['gt_instances']['bboxes']
        (sample,) = inference_topdown(model, str(cwd / found['img_path']), box)
        np.testing.assert_allclose(
            found['pred_instances']['keypoints'], joints(sample), atol=1e-3
        )


@pytest.mark.parametrize(
    ('tool', 'options'),
    [
        ('misc/browse_dataset.py', ['--not-show', '--output-dir=b']),
        ('analysis_tools/get_flops.py', ['--input-shape', 128, 96]),
        ('analysis_tools/print_config.py', []),
    ],
)
def test_tools(run_script, tool, options):
    run_script('mmpose', tool, config(NAME), *options)


def test_layer_decay(model):
    assert_layer_decay(model, 'head.')
