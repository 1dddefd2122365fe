"""mmpretrain's functions, inferencers and tools on our configs."""

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from .made import QUICK, assert_layer_decay, config, picture, write_checkpoint

pytest.importorskip('mmpretrain')
import mmpretrain.visualization  # noqa: F401
from mmpretrain import (
    FeatureExtractor,
    ImageClassificationInferencer,
    get_model,
)

NAMES = ['cls/uniformer_toy', 'cls/uniformer_xxs_toy']


@pytest.fixture(scope='module', params=NAMES)
def name(request):
    return request.param


@pytest.fixture(scope='module')
def weights(name, cwd):
    return write_checkpoint(name, cwd, ['head.fc'])


@pytest.fixture(scope='module')
def model(name, weights):
    return get_model(config(name), pretrained=weights, device='cpu')


@pytest.fixture(scope='module')
def lossless(cwd):
    """PNGs in folders of classes: each library decodes a JPEG in its way."""
    for number, path in enumerate(
        sorted((cwd / 'data/imagenet/train').iterdir())
    ):
        folder = cwd / 'lossless' / path.name
        folder.mkdir(parents=True, exist_ok=True)
        image = picture(seed=number)
        cv2.imwrite(str(folder / f'{number}.png'), image)
    return cwd / 'lossless'


@pytest.fixture(scope='module')
def pictures(lossless):
    return sorted(map(str, lossless.rglob('*.png')))


def test_inferencer_names_classes_of_paths_and_arrays(model, pictures, cwd):
    inferencer = ImageClassificationInferencer(model)
    found = inferencer(pictures, batch_size=3, show_dir=str(cwd / 'drawn'))
    arrays = inferencer([cv2.imread(path) for path in pictures])
    for one, other in zip(found, arrays, strict=True):
        np.testing.assert_allclose(
            one['pred_scores'], other['pred_scores'], rtol=1e-4, atol=1e-6
        )
        assert one['pred_class'] in model._dataset_meta['classes']
    assert len(list((cwd / 'drawn').iterdir())) == len(pictures)


def test_grey_and_turned_pictures(model, cwd):
    Image.fromarray(picture()[..., 0]).save(cwd / 'grey.png')
    turned = Image.fromarray(picture())
    turned.getexif()[0x0112] = 6
    turned.save(cwd / 'turned.jpg', exif=turned.getexif())
    paths = [str(cwd / 'grey.png'), str(cwd / 'turned.jpg')]
    assert len(ImageClassificationInferencer(model)(paths)) == 2


def test_features_of_pictures(model, pictures):
    extract = FeatureExtractor(model)
    for stage in ('neck', 'pre_logits'):
        features = extract(pictures[:2], batch_size=2, stage=stage)
        assert len(features) == 2
        last = features[0]
        while isinstance(last, (tuple, list)):
            last = last[0]
        assert len(last) == 192


def test_features_of_all_stages(name, weights, pictures):
    extract = FeatureExtractor(
        config(name),
        pretrained=weights,
        device='cpu',
        backbone=dict(out_indices=(0, 1, 2, 3)),
    )
    (maps,) = extract(pictures[0], stage='backbone')
    # A light model has a class token beside its last map.
    maps = [m if torch.is_tensor(m) else m[0] for m in maps][:4]
    assert [len(m) for m in maps] == [32, 64, 128, 192]


def test_inferencer_gives_what_our_test_gives(
    name, model, weights, run_script, cwd, lossless, pictures
):
    run_script(
        None, 'test.py', config(name), weights, '--out', 'cls.pkl', *QUICK,
        f'test_dataloader.dataset.data_root={lossless}',
        'test_dataloader.dataset.data_prefix.img_path=',
        'test_cfg.fp16=False',  # as inferencers compute
    )  # fmt: skip
    tested = pickle.loads((cwd / 'cls.pkl').read_bytes())
    inferencer = ImageClassificationInferencer(model)
    assert len(tested) == len(pictures)
    for found in tested:
        (one,) = inferencer(str(found['img_path']))
        np.testing.assert_allclose(
            found['pred_score'], one['pred_scores'], rtol=1e-4, atol=1e-6
        )


@pytest.mark.parametrize(
    ('tool', 'options'),
    [
        (
            'visualization/browse_dataset.py',
            ['--not-show', '--mode=original', '-n2', '--output-dir=b'],
        ),
        (
            'visualization/vis_scheduler.py',
            ['--not-show', '-d100', '--save-path=rates.png'],
        ),
        ('analysis_tools/get_flops.py', ['--shape', 64, 64]),
        ('misc/print_config.py', []),
        ('misc/verify_dataset.py', ['--out-path=broken.log']),
    ],
)
def test_tools(run_script, tool, options):
    run_script('mmpretrain', tool, config(NAMES[0]), *options)


def test_confusion_matrix(run_script, cwd):
    weights = write_checkpoint(NAMES[0], cwd)
    done = run_script(
        'mmpretrain', 'analysis_tools/confusion_matrix.py', config(NAMES[0]),
        weights, '--out', 'matrix.pkl', *QUICK,
    )  # fmt: skip
    assert 'tensor' in done.said


def test_published_file_is_the_model(run_script, name, weights, cwd, model):
    out = Path(name).name
    run_script('mmpretrain', 'model_converters/publish_model.py', weights, out)
    (public,) = cwd.glob(f'{out}*.pth')
    again = get_model(config(name), pretrained=str(public))
    image = torch.rand(2, 3, 64, 64)
    assert torch.equal(model(image), again(image))


def test_layer_decay(model):
    assert_layer_decay(model, 'head.')
