"""Scenes and their pictures."""

import hashlib
import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest

from mmuniformer.toyworld import (
    JOINTS,
    STUFF,
    Layer,
    Person,
    Scene,
    Thing,
    World,
    render,
)

WORLD = World(size=160)
WALL = Layer(
    'wall', ((0, 0), (160, 0), (160, 120), (0, 120)), *2 * [(90,) * 3]
)
CLOTHES = ((40, 90, 200), (240, 220, 60), (70, 60, 50), (230, 180, 140))
CLOTHES = (*CLOTHES, (50, 40, 30))
WHO = Person('person', 80, 60, 100, CLOTHES)
BALL = Thing('sports ball', 80, 60, 40, ((220, 40, 40), (40, 40, 220)))


def room(*things, grain=0):
    return Scene(160, 120, (WALL,), things, grain)


def digest(image):
    return hashlib.sha256(image.tobytes()).hexdigest()[:16]


# If a change of the renderer moves these, raise world.VERSION.
GOLDEN = {
    ('train', 0): '1e27b92bac831b35',
    ('train', 1): '7cc2cad698938821',
    ('val', 0): '100fef9e848a8b99',
}


@pytest.mark.parametrize('key', GOLDEN)
def test_a_picture_is_the_same_on_every_machine(key):
    assert digest(render(WORLD.scene(*key)).image) == GOLDEN[key]


def test_a_scene_does_not_depend_on_the_number_of_pictures():
    other = replace(WORLD, images_train=3, images_val=7)
    assert other.scene('val', 2) == WORLD.scene('val', 2)


@pytest.mark.parametrize('change', ['seed', 'split', 'index'])
def test_seed_split_and_index_each_make_another_scene(change):
    world = replace(WORLD, seed=1) if change == 'seed' else WORLD
    split = 'val' if change == 'split' else 'train'
    other = world.scene(split, 1 if change == 'index' else 0)
    assert other.things != WORLD.scene('train', 0).things


def test_the_package_imports_neither_torch_nor_a_host():
    code = (
        'import sys, mmuniformer.toyworld;'
        'heads = {name.split(".")[0] for name in sys.modules};'
        'print(sorted(h for h in heads if h.startswith(("torch", "mm"))))'
    )
    out = subprocess.run([sys.executable, '-c', code], capture_output=True)
    assert out.stdout.decode().strip() == "['mmuniformer']"


@pytest.mark.parametrize('index', range(6))
def test_taking_a_thing_away_changes_just_the_pixels_of_its_mask(index):
    scene = WORLD.scene('train', index)
    with_all = render(scene)
    for k in range(len(scene.things)):
        fewer = scene.things[:k] + scene.things[k + 1 :]
        without = render(replace(scene, things=fewer)).image
        changed = (without != with_all.image).any(-1)
        mask = with_all.mask(k)
        # Edges are smooth: one pixel around a mask may change as well, and
        # so may those that a thin part covers less than half.
        near = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3))) > 0
        assert (changed & ~near).sum() <= 0.03 * mask.sum()
        assert (changed & mask).sum() >= 0.9 * mask.sum()


@pytest.mark.parametrize('order', [1, -1])
def test_the_later_thing_hides_the_earlier_one(order):
    pair = (WHO, BALL)[::order]
    rear = render(room(pair[0])).mask(0)
    both = render(room(*pair))
    front = render(room(pair[1])).mask(0)
    assert (both.mask(1) == front).all()
    assert (both.mask(0) == (rear & ~front)).all()


@pytest.mark.parametrize('angle', [0, 30])
def test_a_disc_covers_its_area(angle):
    area = render(room(replace(BALL, angle=angle))).mask(0).sum()
    assert area == pytest.approx(np.pi * 20**2, rel=0.03)


def test_a_disc_lies_exactly_where_its_pose_says():
    rows, columns = np.nonzero(render(room(BALL)).mask(0))
    assert (columns.min(), columns.max()) == (60, 99)
    assert (rows.min(), rows.max()) == (40, 79)


def test_a_moved_thing_takes_its_mask_along():
    here = render(room(BALL)).mask(0)
    there = render(room(replace(BALL, x=87, y=57))).mask(0)
    assert (there == np.roll(here, (-3, 7), (0, 1))).all()


def test_a_thing_outside_the_picture_is_not_seen():
    assert not render(room(replace(BALL, x=-100))).mask(0).any()


def test_the_stuff_map_looks_behind_the_things():
    scene = WORLD.scene('train', 0)
    bare = render(replace(scene, things=()))
    assert (render(scene).stuff == bare.stuff).all()


def test_the_stuff_map_names_the_layer_in_front():
    box = ((40, 30), (120, 30), (120, 90), (40, 90))
    door = Layer('building', box, (0, 0, 0), (0, 0, 0))
    haze = replace(door, stuff='sky', opacity=0.4)
    stuff = render(Scene(160, 120, (WALL, door, haze), ())).stuff
    assert STUFF[stuff[60, 80]] == 'building' and STUFF[stuff[0, 0]] == 'wall'
    assert (stuff == STUFF.index('building')).sum() == 80 * 60


def test_visible_joints_lie_on_the_person():
    for index in range(40):
        scene = WORLD.scene('train', index)
        rendered = render(scene)
        for k, joints in rendered.joints.items():
            for x, y, seen in joints:
                assert seen < 2 or rendered.mask(k)[int(y), int(x)]


def test_all_joints_of_a_person_in_full_view_are_visible():
    assert (render(room(WHO)).joints[0][:, 2] == 2).all()


def test_a_joint_behind_something_is_hidden():
    ball = replace(BALL, y=20, size=30)
    joints = dict(zip(JOINTS, render(room(WHO, ball)).joints[0][:, 2]))
    assert joints['nose'] == 1 and joints['left_knee'] == 2


def test_a_joint_outside_the_picture_is_not_labelled():
    joints = render(room(replace(WHO, y=0))).joints[0]
    assert (joints[0] == 0).all() and joints[15, 2] == 2


def test_seen_from_behind_left_is_left_and_the_face_is_hidden():
    front = render(room(WHO)).joints[0]
    back = render(room(replace(WHO, back=True))).joints[0]
    left, right = (JOINTS.index(f'{s}_wrist') for s in ('left', 'right'))
    assert front[left, 0] > front[right, 0]
    assert back[left, 0] < back[right, 0]
    assert (back[:3, 2] == 1).all()


def test_limbs_follow_their_angles():
    waving = replace(WHO, arms=(170, 0, 0, 0))
    joints = dict(zip(JOINTS, render(room(waving)).joints[0]))
    assert joints['left_wrist'][1] < joints['left_shoulder'][1]
    assert joints['right_wrist'][1] > joints['right_shoulder'][1]


def test_scenes_are_mostly_plain_and_sometimes_hard():
    scenes = [WORLD.scene('train', index) for index in range(500)]
    counts = np.array([len(scene.things) for scene in scenes])
    crowds = [any(t.crowd is not None for t in s.things) for s in scenes]
    assert 0.005 < (counts == 0).mean() < 0.03
    assert 0.03 < np.mean(crowds) < 0.1
    assert ((counts >= 2) & (counts <= 6)).mean() > 0.7


@pytest.mark.parametrize('name', ['seed', 'size', 'images_train'])
def test_a_bad_parameter_is_named(name):
    with pytest.raises(ValueError, match=f'{name}=-1: wanted an integer'):
        World(**{name: -1})
