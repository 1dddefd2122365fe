"""Pictures of all kinds, whole and damaged, through small models."""

import json
import sys
from importlib.util import find_spec

import cv2
import numpy as np
import pytest
from PIL import Image

from mmuniformer.errors import UserError
from mmuniformer.prediction import Output, Predictor, predict

from . import damaged

if not (find_spec('mmpretrain') and find_spec('mmdet')):
    pytest.skip('needs mmpretrain and mmdet', allow_module_level=True)


@pytest.fixture(scope='module')
def photo(toy_data):
    return sorted(toy_data.glob('coco/val2017/*.jpg'))[0]


@pytest.fixture
def folder(tmp_path, photo):
    """A folder of whole and damaged pictures; the names of these."""
    folder = tmp_path / 'pictures'
    folder.mkdir()
    damaged.copy(folder, photo, 12)
    return folder, damaged.write(folder, photo)


@pytest.mark.parametrize('task', ['cls', 'det'])  # Pillow reads, OpenCV reads
def test_damaged_pictures_are_named_and_the_others_predicted(
    predictor, folder, task
):
    path, names = folder
    found = predictor(task)(path)
    bad = [p.source.path for p in found if p.error]
    assert bad == [str(path / name) for name in names]
    assert all(p.record for p in found if not p.error)
    assert len(found) == 22


def test_results_of_a_batch_are_those_of_one(predictor, tmp_path, photo):
    """Of pictures of other sizes, which wait for their like, in order."""
    picture = cv2.imread(str(photo))
    sizes = [(96, 72), (72, 96), (96, 72), (60, 96), (72, 96), (96, 72)]
    pictures = [cv2.resize(picture, size) for size in sizes]
    many = predictor('det')(pictures)
    one = predictor('det', batch=1)(pictures)
    for a, b in zip(many, one):
        assert a.job.order == b.job.order
        boxes = [thing['box'] for thing in a.record['objects'][:5]]
        other = [thing['box'] for thing in b.record['objects'][:5]]
        np.testing.assert_allclose(boxes, other, atol=0.01)


def test_processes_give_what_one_does(predictor, folder):
    path, _ = folder
    one = [p.record for p in predictor('cls')(path)]
    two = predictor('cls', workers=2)
    assert [p.record for p in two(path)] == one


def test_fused_weights_give_the_same(predictor, photo):
    plain = predictor('cls', fuse=False, half=False)(photo)[0].record
    fused = predictor('cls', half=False)(photo)[0].record
    assert fused['score'] == pytest.approx(plain['score'], abs=1e-5)


def test_integers_give_nearly_the_same(predictor, photo, monkeypatch):
    monkeypatch.setattr('mmuniformer.fast.int8.has_integers', lambda: True)
    plain = predictor('cls', half=False)(photo)[0].record
    found = predictor('cls', int8=True)(photo)[0].record
    assert found['score'] == pytest.approx(plain['score'], abs=0.05)
    assert found['score'] != plain['score']


def test_integers_without_fusing_are_refused(predictor):
    with pytest.raises(UserError, match='int8=True, fuse=False'):
        predictor('cls', int8=True, fuse=False)


def variants(photo, folder):
    """The same picture in other modes, and what it is then in RGB."""
    image = Image.open(photo).convert('RGB')
    alpha = image.copy()
    alpha.putalpha(128)
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(folder / 'turned.png', exif=exif)
    for name, one in {
        'grey': image.convert('L'),
        'palette': image.quantize(64),
        'alpha': alpha,
        'grey_alpha': image.convert('LA'),
        'one_bit': image.convert('1'),
    }.items():
        one.save(folder / f'{name}.png')
    image.convert('CMYK').save(folder / 'cmyk.jpg')
    deep = np.array(image.convert('L')).astype(np.uint16) * 257
    Image.fromarray(deep).save(folder / 'deep.png')


@pytest.mark.parametrize('task', ['cls', 'det'])
def test_every_mode_is_read_as_in_training(predictor, tmp_path, photo, task):
    variants(photo, tmp_path)
    made = predictor(task)
    load = made.task.transforms[0]
    for source in made.found(tmp_path):
        (prediction,) = made(source)
        if task == 'cls' and source.name == 'deep':
            assert 'more than 8 bits' in prediction.error
            continue
        assert not prediction.error, source
        pixels = load(dict(img_path=source.path))['img']
        (job,) = made.jobs([source])
        assert (made.task.read(job)['img'] == pixels).all()
        assert pixels.shape[2] == 3 and pixels.std() > 10


def test_classes_by_name_and_a_number_of_objects(predictor, photo):
    (found,) = predictor('det')(photo)
    all_names = [thing['name'] for thing in found.record['objects']]
    name = max(set(all_names), key=all_names.count)
    (found,) = predictor('det', classes=(name,), top_k=2)(photo)
    names = [thing['name'] for thing in found.record['objects']]
    assert len(all_names) > 2 and names == [name] * min(
        2, all_names.count(name)
    )


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(classes=('unicorn',)), "--classes 'unicorn': no class of this"),
        (dict(batch=0), 'batch=0: wanted at least 1'),
        (dict(every=1.0), 'every=1.0: wanted a model of videos'),
        (dict(whole_image=True), 'wanted a model of pose'),
        (dict(slide=64), 'slide=64: wanted a model of segmentation'),
    ],
)
def test_options_that_do_not_fit(work_dir, options, message):
    with pytest.raises(UserError, match=message):
        Predictor(str(work_dir('det')), **options)


def test_where_people_are_must_be_said(work_dir):
    with pytest.raises(UserError, match='wanted one of --boxes FILE'):
        Predictor(str(work_dir('pose')))


def test_lines_pictures_and_names_that_collide(predictor, tmp_path, photo):
    other = tmp_path / 'other'
    other.mkdir()
    damaged.copy(other, photo, 1)
    (other / '000.jpg').rename(other / photo.name)
    out = tmp_path / 'out'
    records = predict(predictor('det'), [photo, other], out=str(out))
    lines = (out / 'predictions.jsonl').read_text().splitlines()
    assert [json.loads(line) for line in lines] == records
    pictures = [r['picture'] for r in records]
    assert len(set(pictures)) == 2
    shape = cv2.imread(str(photo)).shape
    assert [cv2.imread(p).shape for p in pictures] == [shape, shape]


def test_label_map_holds_classes_and_colours(predictor, tmp_path, photo):
    pytest.importorskip('mmseg')
    seg = predictor('seg')
    (record,) = predict(seg, photo, out=str(tmp_path), draw=False)
    picture = Image.open(record['label_map'])
    labels, counts = np.unique(np.array(picture), return_counts=True)
    shares = {r['label']: r['share'] for r in record['regions']}
    assert shares == dict(zip(labels.tolist(), counts / counts.sum()))
    colour = picture.getpalette()[3 * labels[0] :][:3]
    assert colour == list(seg.meta['palette'][labels[0]])


def test_windows_slide_over_a_large_picture(work_dir, photo):
    pytest.importorskip('mmseg')
    large = cv2.resize(cv2.imread(str(photo)), (200, 150))
    made = Predictor(str(work_dir('seg')), slide=96, workers=0)
    seen = []
    inner = made.model.backbone.forward

    def forward(x):
        seen.append(tuple(x.shape[2:]))
        return inner(x)

    made.model.backbone.forward = forward
    (found,) = made(large)
    assert set(seen) == {(96, 96)} and len(seen) > 2
    assert found.samples[0].pred_sem_seg.data.shape == (1, 150, 200)


def test_a_picture_that_pillow_reads_is_one_block(predictor, photo):
    made = predictor('cls')
    (job,) = made.jobs(made.found(photo))
    img = made.task.read(job)['img']
    assert img.flags.c_contiguous
    with Image.open(photo) as picture:
        assert (img == np.array(picture)[..., ::-1]).all()


def test_lines_come_as_they_are_made(predictor, folder):
    """The first ones are there before the last input is looked at."""
    path, _ = folder
    looked = []

    def sources():
        for name in sorted(path.glob('0*.jpg')):
            looked.append(name)
            yield name

    one = predictor('cls', batch=1)
    with Output(one, None, stream=sys.stderr) as output:
        output.write(next(one.stream(sources())))
    assert len(looked) < 12
