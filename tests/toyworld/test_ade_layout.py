"""The ADE20K layout."""

import json

import cv2
import numpy as np
import pytest

from mmuniformer.toyworld import (
    STUFF,
    Layer,
    Person,
    Scene,
    Thing,
    World,
    label_map,
    render,
    write_world,
)
from mmuniformer.toyworld.ade import ADE, CLASSES

WORLD = World(size=96, images_train=80, images_val=12)
COUNTS = {'training': 80, 'validation': 12}


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    out = tmp_path_factory.mktemp('toyworld')
    assert write_world(out, WORLD, ['ade']) == ['ade']
    return out / ADE.path


@pytest.fixture(scope='module')
def maps(root):
    return [
        cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        for path in sorted(root.glob('annotations/*/*.png'))
    ]


@pytest.mark.parametrize('folder, split', [*zip(COUNTS, ('train', 'val'))])
def test_files_are_named_as_in_ade20k(root, folder, split):
    numbers = range(1, COUNTS[folder] + 1)
    stems = [f'ADE_{split}_{n:08d}' for n in numbers]
    for kind, suffix in (('images', '.jpg'), ('annotations', '.png')):
        found = sorted(p.name for p in (root / kind / folder).iterdir())
        assert found == [stem + suffix for stem in stems]


def test_maps_are_one_byte_per_pixel_of_their_picture(root, maps):
    assert all(m.dtype == np.uint8 and m.ndim == 2 for m in maps)
    images = sorted(root.glob('images/*/*.jpg'))
    for path, labels in list(zip(images, maps, strict=True))[::9]:
        assert cv2.imread(str(path)).shape == (*labels.shape, 3)


def test_every_class_occurs_and_no_other(maps):
    found = set(np.unique(np.concatenate([m.ravel() for m in maps])))
    assert found == {0, *CLASSES.values()}


def test_few_pixels_are_unlabelled(maps):
    share = np.mean(np.concatenate([m.ravel() for m in maps]) == 0)
    assert 0.002 < share < 0.05


def test_a_map_has_things_in_front_of_stuff():
    room = ((0, 0), (160, 0), (160, 120), (0, 120))
    half = ((0, 60), (160, 60), (160, 120), (0, 120))
    grey = 2 * [(90,) * 3]
    layers = Layer('sky', room, *grey), Layer('grass', half, *grey)
    colours = ((220, 40, 40), (40, 40, 220))
    clothes = (*colours, *colours, *colours)
    things = [
        Thing(name, 20 + 20 * k, 60, 16, colours)
        for k, name in enumerate(
            ('car', 'stop sign', 'sports ball', 'kite', 'clock', 'umbrella')
        )
    ]
    things.append(Person('person', 140, 60, 16, clothes))
    scene = Scene(160, 120, layers, tuple(things), grain=0)
    rendered = render(scene)
    labels = label_map(scene, rendered)
    wanted = [21, 44, 120, 109, 149, 0, 13]
    for k, value in enumerate(wanted):
        assert (labels[rendered.mask(k)] == value).all()
    bare = rendered.owner < 0
    assert (labels[:60][bare[:60]] == 3).all()
    assert (labels[60:][bare[60:]] == 10).all()


def test_all_stuff_has_a_class():
    assert {*STUFF} < {*CLASSES}


def test_the_list_of_classes_counts_pixels_and_pictures(root, maps):
    content = json.loads((root / 'classes.json').read_text())
    assert content['info'] == WORLD.info()
    rows = {row['name']: row for row in content['classes']}
    assert {n: r['id'] for n, r in rows.items()} == {
        **CLASSES,
        'unlabelled': 0,
    }
    assert sum(row['pixels'] for row in rows.values()) == pytest.approx(
        1, 1e-3
    )
    train = [cv2.imread(str(p), -1) for p in root.glob('*/training/*.png')]
    with_cars = sum((labels == CLASSES['car']).any() for labels in train)
    assert rows['car']['train'] == with_cars
    cars = np.mean(np.concatenate([m.ravel() for m in maps]) == 21)
    assert rows['car']['pixels'] == pytest.approx(cars, abs=1e-5)
