"""The COCO instance layout and the guard of its folder."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from pycocotools import mask as rle
from pycocotools.coco import COCO

from mmuniformer.toyworld import World, render, write_coco
from mmuniformer.toyworld.coco import image_id, uncompressed_rle

WORLD = World(size=200, images_train=60, images_val=6, seed=4)
SMALL = World(size=64, images_train=20, images_val=3)


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp('toyworld') / 'coco'
    write_coco(folder, WORLD)
    return folder


@pytest.fixture(scope='module')
def coco(root):
    return COCO(root / 'annotations' / 'instances_train2017.json')


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob('*')
        if path.is_file()
    }


@pytest.fixture(scope='module')
def pairs(coco):
    """Every annotation with its mask, from the renderer."""
    found = []
    for image in coco.getImgIds():
        scene = WORLD.scene('train', image - 1)
        rendered = render(scene)
        annotations = coco.imgToAnns[image]
        crowd = [t.crowd is not None for t in scene.things]
        masks = [
            rendered.mask(k) for k in np.flatnonzero(~np.array(crowd, bool))
        ]
        masks = [mask for mask in masks if mask.sum() >= 8]
        if any(crowd):
            masks.append(np.isin(rendered.owner, np.flatnonzero(crowd)))
        found += zip(annotations, masks, strict=True)
    return found


def test_segmentations_give_the_masks_back(coco, pairs):
    for annotation, mask in pairs:
        true = rle.encode(np.asfortranarray(mask, np.uint8))
        assert rle.iou([coco.annToRLE(annotation)], [true], [0])[0, 0] > 0.9


def test_most_things_are_polygons(pairs):
    plain = [ann for ann, _ in pairs if not ann['iscrowd']]
    share = np.mean([isinstance(a['segmentation'], list) for a in plain])
    assert share > 0.95


def test_boxes_are_tight(pairs):
    for annotation, mask in pairs:
        ys, xs = np.nonzero(mask)
        x, y, w, h = annotation['bbox']
        assert (x, y) == (xs.min(), ys.min())
        assert (x + w, y + h) == (xs.max() + 1, ys.max() + 1)


def test_areas_are_those_of_the_masks(pairs):
    assert all(ann['area'] == mask.sum() for ann, mask in pairs)


def test_crowds_are_exact_run_lengths_in_numbers(coco, pairs):
    crowds = [(ann, mask) for ann, mask in pairs if ann['iscrowd']]
    assert crowds
    for annotation, mask in crowds:
        assert isinstance(annotation['segmentation']['counts'], list)
        assert (coco.annToMask(annotation) == mask).all()


def test_run_lengths_begin_with_background():
    mask = np.array([[True, False], [True, True]])
    assert uncompressed_rle(mask) == {'counts': [0, 2, 1, 1], 'size': [2, 2]}


def test_there_are_small_medium_and_large_things(pairs):
    side = np.sqrt([ann['area'] for ann, _ in pairs if not ann['iscrowd']])
    assert (side < 12).any() and (side > 50).any()
    assert np.median(side) > 20


def test_categories_are_those_of_coco(coco):
    found = coco.dataset['categories']
    gaps = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}
    assert [c['id'] for c in found] == sorted({*range(1, 91)} - gaps)
    names = {c['id']: (c['supercategory'], c['name']) for c in found}
    assert names[18] == ('animal', 'dog') and len({*names.values()}) == 80
    assert names[90] == ('indoor', 'toothbrush')


def test_pictures_are_there_with_the_sizes_they_claim(root, coco):
    for record in coco.dataset['images'][:8]:
        image = cv2.imread(str(root / 'train2017' / record['file_name']))
        assert image.shape == (record['height'], record['width'], 3)


def test_pictures_show_the_scenes_in_their_colours(root):
    name = f'{image_id("train", 0):012d}.jpg'
    image = cv2.imread(str(root / 'train2017' / name))[..., ::-1]
    wanted = render(WORLD.scene('train', 0)).image
    assert np.abs(image.astype(int) - wanted).mean() < 8


def test_identities_are_unique_over_both_splits(root):
    ids = [image_id(s, WORLD.count(s) - 1) for s in ('train', 'val')]
    assert len({*ids}) == 2
    anns = COCO(root / 'annotations' / 'instances_val2017.json').anns
    train = COCO(root / 'annotations' / 'instances_train2017.json').anns
    assert not {*anns} & {*train} and len(anns) > 6


def test_the_number_of_processes_leaves_the_bytes_alone(tmp_path):
    world = replace(SMALL, images_train=40)
    for workers in (1, 2):
        write_coco(tmp_path / str(workers), world, workers)
    assert contents(tmp_path / '1') == contents(tmp_path / '2')


def test_a_larger_world_begins_with_the_smaller_one(tmp_path):
    write_coco(tmp_path / 'a', replace(SMALL, images_train=5))
    write_coco(tmp_path / 'b', SMALL)
    few, many = contents(tmp_path / 'a'), contents(tmp_path / 'b')
    name = 'annotations/instances_train2017.json'
    for key in ('images', 'annotations'):
        part, whole = (json.loads(c[name])[key] for c in (few, many))
        assert part == whole[: len(part)]
    assert all(many[n] == few[n] for n in few if n.endswith('.jpg'))


def test_a_complete_world_is_left_alone(tmp_path):
    assert write_coco(tmp_path / 'coco', SMALL)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob('*')}
    assert not write_coco(tmp_path / 'coco', SMALL)
    assert before == {p: p.stat().st_mtime_ns for p in tmp_path.rglob('*')}


@pytest.mark.parametrize(
    'lost',
    [
        'annotations/instances_val2017.json',
        'train2017/000000000003.jpg',
    ],
)
def test_an_incomplete_world_is_completed(tmp_path, lost):
    write_coco(tmp_path, SMALL)
    before = contents(tmp_path)
    (tmp_path / lost).unlink()
    assert write_coco(tmp_path, SMALL)
    assert contents(tmp_path) == before


def test_an_interrupted_run_leaves_no_annotation_file(tmp_path):
    def interrupt(done, total):
        if done == 10:
            raise KeyboardInterrupt

    write_coco(tmp_path, SMALL)
    with pytest.raises(KeyboardInterrupt):
        write_coco(tmp_path, SMALL, force=True, progress=interrupt)
    assert not list((tmp_path / 'annotations').iterdir())


def test_another_world_is_replaced_only_by_force(tmp_path):
    write_coco(tmp_path, SMALL)
    other = replace(SMALL, images_train=4, seed=1)
    with pytest.raises(FileExistsError, match=r'seed=0.*--force'):
        write_coco(tmp_path, other)
    assert write_coco(tmp_path, other, force=True)
    assert len(list((tmp_path / 'train2017').iterdir())) == 4


def real_annotations(root):
    path = root / 'annotations' / 'instances_val2017.json'
    path.parent.mkdir(exist_ok=True)
    path.write_text('{"info": {"description": "COCO 2017 Dataset"}}')


def real_pictures(root):
    (root / 'val2017').mkdir(exist_ok=True)
    (root / 'val2017' / '000000000139.jpg').write_bytes(b'mine')


def broken_marker(root):
    (root / 'toyworld.json').write_text('{')


@pytest.mark.parametrize('mixed', [False, True])
@pytest.mark.parametrize(
    'add', [real_annotations, real_pictures, broken_marker]
)
def test_data_of_another_origin_is_never_touched(tmp_path, add, mixed):
    if mixed:
        write_coco(tmp_path, SMALL)
    add(tmp_path)
    before = contents(tmp_path)
    with pytest.raises(FileExistsError, match='not of a toy world'):
        write_coco(tmp_path, replace(SMALL, seed=9), force=True)
    assert contents(tmp_path) == before
