"""The fast transforms give the pixels of the slow ones, bit for bit."""

import io
import random

import numpy as np
import pytest
import torch
from mmcv.transforms import LoadImageFromFile
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import MODELS, init_default_scope
from PIL import Image

pytest.importorskip('mmpretrain')
pytest.importorskip('timm')
from mmuniformer.checks import loops
from mmuniformer.checks.findings import Findings
from mmuniformer.engine.places import seed_all
from mmuniformer.errors import UserError
from mmuniformer.hosts.mmpretrain import pictures, resample
from mmuniformer.hosts.mmpretrain.timm_policy import Boxes, Erasing
from mmuniformer.hosts.pixels import shifts

from .. import ROOT
from .steps import load

# What the recipe was before: the hosts' own transforms.
BEFORE = dict(
    LoadImageFromFile='LoadImageFromFile',
    RandomResizedCrop='RandomResizedCrop',
    RandomFlip='RandomFlip',
    PackInputs='PackInputs',
)


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmpretrain')


def photo(height, width, seed=0):
    """A smooth picture with edges, noise and flat parts."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (height // 16 + 2, width // 16 + 2, 3))
    image = Image.fromarray(small.astype(np.uint8))
    pixels = np.array(image.resize((width, height), Image.BICUBIC), int)
    pixels[: height // 3] += rng.integers(-9, 10, (height // 3, width, 3))
    pixels[-height // 5 :] = 255
    return pixels.clip(0, 255).astype(np.uint8)


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    """Pictures of many kinds: some that OpenCV decodes, some that not."""
    folder = tmp_path_factory.mktemp('pictures')
    kinds = [
        dict(quality=90),
        dict(quality=75, subsampling=0),
        dict(quality=95, progressive=True),
        dict(mode='L'),
        dict(mode='CMYK'),
        dict(format='PNG'),
        dict(exif=6),
        dict(quality=60, subsampling=1),
    ]
    paths = []
    for number, kind in enumerate(kinds):
        image = Image.fromarray(photo(150 + 61 * number, 430 - 37 * number))
        image = image.convert(kind.pop('mode', 'RGB'))
        if 'exif' in kind:
            exif = Image.Exif()
            exif[0x0112] = kind['exif']
            kind['exif'] = exif
        paths.append(str(folder / f'{number}.jpg'))
        image.save(paths[-1], kind.pop('format', 'JPEG'), **kind)
    return paths


def before(steps):
    """The pipeline with the transforms of the host."""
    steps = [dict(step) for step in steps]
    for step in steps:
        name = step['type'].rpartition('.')[2]
        step['type'] = BEFORE.get(name, step['type'])
    return steps


def run(pipeline, path, seed):
    seed_all(seed)
    return pipeline(dict(img_path=path, gt_label=1))


@pytest.mark.parametrize('name', ['uniformer_s', 'uniformer_s_plus'])
def test_the_recipe_draws_and_gives_what_it_did(files, name):
    steps = load(f'cls/{name}', ROOT).train_dataloader.dataset.pipeline
    ours, host = Compose(list(steps)), Compose(before(steps))
    for seed in range(64):
        path = files[seed % len(files)]
        found, wanted = (run(p, path, seed) for p in (ours, host))
        assert found['inputs'].dtype == torch.uint8
        assert torch.equal(found['inputs'], wanted['inputs']), (path, seed)
        a, b = found['data_samples'], wanted['data_samples']
        assert a.flip == b.flip and a.img_shape == b.img_shape
        assert a.ori_shape == b.ori_shape


def test_draws_go_on_as_before(files):
    steps = load('cls/uniformer_s', ROOT).train_dataloader.dataset.pipeline
    after = []
    for pipeline in (Compose(list(steps)), Compose(before(steps))):
        run(pipeline, files[0], 5)
        after.append((random.random(), np.random.rand()))
    assert after[0] == after[1]


@pytest.mark.parametrize('how', ['BICUBIC', 'BILINEAR'])
@pytest.mark.parametrize('seed', range(4))
def test_shears_and_translations_are_those_of_pillow(seed, how):
    rng = random.Random(seed)
    image = Image.fromarray(photo(70 + 9 * seed, 60, seed))
    planes = np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1))
    for b, c in (
        (rng.uniform(-0.3, 0.3), 0), (0, rng.uniform(-40, 40)), (0.24, 0),
        (0.25, 0), (-0.27, 0), (0, 0.5), (0, -7), (0, 7 - 1e-15), (0, 0),
        (0, 200), (0, -59.5), (rng.uniform(-3, 3), 0),
    ):  # fmt: skip
        for matrix in ((1, b, c, 0, 1, 0), (1, 0, 0, b, 1, c)):
            wanted = image.transform(
                image.size, Image.Transform.AFFINE, matrix,
                Image.Resampling[how], fillcolor=(1, 2, 3),
            )  # fmt: skip
            found = shifts.shift(planes, matrix, (1, 2, 3), how == 'BICUBIC')
            found = found.transpose(1, 2, 0)
            assert np.array_equal(found, np.asarray(wanted)), matrix


def test_few_pixels_are_moved_twice(monkeypatch):
    """Not those of areas of one colour, whose sums are whole numbers."""
    exactly, again = shifts.exactly, []
    monkeypatch.setattr(
        shifts,
        'exactly',
        lambda source, lines, places: (
            again.append(len(places)) or exactly(source, lines, places)
        ),
    )
    planes = np.ascontiguousarray(photo(90, 80).transpose(2, 0, 1))
    shifts.shift(planes, (1, 0.21, 0, 0, 1, 0), (1, 2, 3))
    assert 0 < again.pop() < 0.01 * planes.size
    for whole in (0, 7):
        shifts.shift(planes, (1, 0, whole, 0, 1, 0), (1, 2, 3))
    assert not again


@pytest.mark.skipif(not resample.is_fast(), reason='no kernels for it here')
@pytest.mark.parametrize(
    'shape', [(97, 130), (64, 64), (40, 33), (150, 210), (64, 300)]
)
def test_resizing_is_that_of_pillow(shape):
    image = photo(*shape)
    box = 0, 0, shape[1], shape[0]
    for size in ((64, 64), (64, 40), (90, 90), (40, 64)):
        for method in ('bicubic', 'bilinear'):
            assert resample.can_resize(*shape, size, method)
            how = resample.METHODS[method]
            wanted = Image.fromarray(image).resize(size[::-1], how)
            found = resample.resized(image, box, size, method)
            assert np.array_equal(found, np.asarray(wanted)), (size, method)


@pytest.mark.parametrize('shape', [(90, 70), (70, 90), (150, 60)])
def test_resized_pictures_are_not_written_over(shape):
    box = 0, 0, shape[1], shape[0]
    first, second = (
        resample.resized(photo(*shape, seed), box, (50, 50), 'bicubic')
        for seed in range(2)
    )
    assert not np.array_equal(first, second)


def encoded(**kwargs):
    file = io.BytesIO()
    Image.fromarray(photo(80, 120)).save(file, 'JPEG', **kwargs)
    return file.getvalue()


@pytest.mark.skipif(not resample.is_fast(), reason='no kernels for it here')
def test_workers_share_the_tables_of_crops():
    crop = pictures.RandomResizedCrop(scale=40, interpolation='bicubic')
    made = resample.taps_of.cache_info().misses
    for seed in range(3):
        crop(dict(img=photo(300, 400, seed)))
    assert resample.taps_of.cache_info().misses == made


def test_what_is_cut_short_is_left_to_pillow(tmp_path):
    data = encoded(quality=90)
    assert pictures.decode(data) is not None
    for cut in (data[: len(data) // 2], data[:-2], b'', b'\xff\xd8\xff\xd9'):
        assert pictures.decode(cut) is None
    path = tmp_path / 'cut.jpg'
    path.write_bytes(data[: len(data) // 2])
    load = pictures.LoadImageFromFile(
        color_type='color_ignore_orientation', imdecode_backend='pillow'
    )
    with pytest.raises(Exception, match='truncated'):
        load(dict(img_path=str(path)))


def test_damage_in_the_middle_gives_the_same(tmp_path):
    options = dict(
        color_type='color_ignore_orientation', imdecode_backend='pillow'
    )
    loads = pictures.LoadImageFromFile(**options), LoadImageFromFile(**options)
    rng = random.Random(0)
    path = tmp_path / 'damaged.jpg'
    for _ in range(40):
        data = bytearray(encoded(quality=80))
        place = rng.randrange(len(data) - 2)
        data[place : place + 3] = rng.randbytes(3)
        path.write_bytes(data)
        found = []
        for read in loads:
            try:
                found.append(read(dict(img_path=str(path)))['img'])
            except Exception as error:
                found.append(type(error).__name__)
        assert np.array_equal(found[0], found[1]), place


def test_drafts_keep_the_short_side():
    data = encoded()
    sizes = {d: pictures.decode(data, d).shape[:2] for d in (1, 20, 40, 41)}
    assert sizes == {1: (10, 15), 20: (20, 30), 40: (40, 60), 41: (80, 120)}
    with pytest.raises(UserError, match="draft='yes': wanted"):
        pictures.LoadImageFromFile(draft='yes')


def test_boxes_are_those_of_erasing_in_the_pipeline():
    drawn = Boxes(0.5), Erasing(0.5, [0] * 3, [1] * 3)
    count = 0
    for seed in range(40):
        seed_all(seed)
        box = drawn[0].box(40, 56)
        seed_all(seed)
        frames = np.full((1, 40, 56, 3), 9.0, np.float32)
        drawn[1](frames)
        wanted = np.zeros((40, 56), bool)
        if box:
            top, left, height, width = box
            wanted[top : top + height, left : left + width] = True
        assert np.array_equal((frames != 9).any((0, 3)), wanted)
        count += box is not None
    assert 10 < count < 30


def prepared(boxes, **kwargs):
    """Normalised pictures of which boxes are erased."""
    from mmpretrain.structures import DataSample

    prepare = MODELS.build(
        dict(
            type='mmuniformer.ClsDataPreprocessor',
            mean=[10.0] * 3,
            std=[2.0] * 3,
            num_classes=3,
            **kwargs,
        )
    )
    samples = [DataSample().set_gt_label(1) for _ in boxes]
    for sample, box in zip(samples, boxes):
        sample.set_field(box, 'erase_box', field_type='metainfo')
    inputs = torch.full((len(boxes), 3, 40, 40), 10, dtype=torch.uint8)
    return prepare, dict(inputs=inputs, data_samples=samples)


def test_the_device_fills_boxes_with_standard_noise():
    prepare, data = prepared([None, (4, 6, 30, 20)])
    out = prepare(data, training=True)['inputs']
    assert not out[0].any()
    part = out[1, :, 4:34, 6:26]
    assert abs(part.mean()) < 0.1 and abs(part.std() - 1) < 0.1
    part.zero_()
    assert not out.any()
    assert not prepare(data, training=False)['inputs'].any()


def test_erased_pictures_are_mixed():
    augments = dict(augments=[dict(type='Mixup', alpha=0.8)])
    prepare, data = prepared(
        [(0, 0, 40, 40), None], batch_augments=augments, to_onehot=True
    )
    out = prepare(data, training=True)
    assert out['inputs'].flatten(1).any(1).any()
    scores = [sample.gt_score for sample in out['data_samples']]
    assert all(score.sum() == pytest.approx(1) for score in scores)


@pytest.mark.parametrize('missing', ['pack', 'prepare'])
def test_erasing_that_nobody_does_is_found(missing):
    cfg = Config(load('cls/uniformer_s', ROOT).to_dict())
    found = Findings()
    loops.check_erasing(cfg, found)
    assert not list(found)
    if missing == 'pack':
        cfg.train_dataloader.dataset.pipeline[-1].type = 'PackInputs'
    else:
        cfg.model.data_preprocessor.type = 'ClsDataPreprocessor'
    loops.check_erasing(cfg, found)
    (one,) = found
    assert 'nothing would be erased' in one.text
