"""Several layouts in one run, one after another, and the guard of folders."""

from dataclasses import replace

import pytest

from mmuniformer.toyworld import LAYOUTS, World, write_world

SMALL = World(size=64, images_train=12, images_val=3)
COCO, ADE = 'coco', LAYOUTS['ade'].path


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob('*')
        if path.is_file()
    }


def times(folder):
    return {p: p.stat().st_mtime_ns for p in folder.rglob('*') if p.is_file()}


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """Everything written at once."""
    out = tmp_path_factory.mktemp('toyworld')
    assert write_world(out, SMALL) == [*LAYOUTS]
    return contents(out)


@pytest.mark.parametrize('workers', [1, 2])
def test_equal_worlds_are_equal_bytes(tmp_path, whole, workers):
    if workers == 2:
        whole = write_world(tmp_path / '1', SMALL) and contents(tmp_path / '1')
    write_world(tmp_path / 'again', SMALL, workers=workers)
    assert contents(tmp_path / 'again') == whole


def test_another_seed_makes_other_boxes_and_maps(tmp_path, whole):
    write_world(tmp_path, replace(SMALL, seed=1))
    other = contents(tmp_path)
    assert other.keys() == whole.keys()
    for name in ('AP_H_56_person.json', 'ADE_val_00000001.png'):
        (path,) = (path for path in whole if path.endswith(name))
        assert other[path] != whole[path]


@pytest.mark.parametrize(
    'order',
    [tuple(LAYOUTS), tuple(LAYOUTS)[::-1]],
)
def test_a_layout_is_added_later_and_all_else_left_alone(
    tmp_path, whole, order
):
    for name in order:
        before = times(tmp_path)
        assert write_world(tmp_path, SMALL, [name]) == [name]
        after = times(tmp_path)
        assert before.items() <= after.items()
    assert contents(tmp_path) == whole


def test_a_complete_world_is_left_alone(tmp_path):
    write_world(tmp_path, SMALL)
    before = times(tmp_path)
    assert write_world(tmp_path, SMALL) == []
    assert write_world(tmp_path, SMALL, ['keypoints']) == []
    assert times(tmp_path) == before


FILES = [f'{x.path}/{f}' for x in LAYOUTS.values() for f in x.files]


@pytest.mark.parametrize(
    'lost',
    [
        *FILES,
        f'{COCO}/val2017/000001000001.jpg',
        f'{ADE}/images/training/ADE_train_00000002.jpg',
        f'{ADE}/annotations/validation/ADE_val_00000003.png',
    ],
)
def test_an_incomplete_world_is_completed(tmp_path, whole, lost):
    write_world(tmp_path, SMALL)
    (tmp_path / lost).unlink()
    assert write_world(tmp_path, SMALL)
    assert contents(tmp_path) == whole


def test_a_lost_annotation_file_costs_no_picture(tmp_path, whole):
    write_world(tmp_path, SMALL)
    before = times(tmp_path)
    lost = tmp_path / COCO / LAYOUTS['coco'].files[0]
    lost.unlink()
    assert write_world(tmp_path, SMALL) == ['coco']
    after = times(tmp_path)
    assert {p for p in after if after[p] != before[p]} == {
        tmp_path / COCO / name for name in LAYOUTS['coco'].files
    }
    assert contents(tmp_path) == whole


def test_force_renews_the_layout_that_shares_the_pictures(tmp_path):
    write_world(tmp_path, SMALL, ['coco', 'keypoints'])
    other = replace(SMALL, seed=1, images_train=2)
    written = write_world(tmp_path, other, ['keypoints'], force=True)
    assert written == ['keypoints', 'coco']
    write_world(tmp_path / 'fresh', other, ['coco', 'keypoints'])
    fresh = contents(tmp_path / 'fresh' / COCO)
    assert contents(tmp_path / COCO) == fresh


def test_another_world_is_refused_before_anything_is_written(tmp_path):
    write_world(tmp_path, SMALL, ['ade'])
    before = contents(tmp_path)
    with pytest.raises(FileExistsError, match=r'ADE.*seed=0.*--force'):
        write_world(tmp_path, replace(SMALL, seed=1))
    assert contents(tmp_path) == before


def test_an_interrupted_run_is_seen_as_one(tmp_path, whole):
    def interrupt(done, total):
        if done == 5:
            raise KeyboardInterrupt

    write_world(tmp_path, SMALL)
    with pytest.raises(KeyboardInterrupt):
        write_world(tmp_path, SMALL, force=True, progress=interrupt)
    assert not any((tmp_path / name).exists() for name in FILES)
    assert write_world(tmp_path, SMALL) == [*LAYOUTS]
    assert contents(tmp_path) == whole


@pytest.mark.parametrize('force', [False, True])
@pytest.mark.parametrize('mixed', [False, True])
@pytest.mark.parametrize(
    'name, text',
    [
        *(
            (name, '[{"image_id": 42, "bbox": [0, 0, 1, 1]}]')
            for name in FILES
        ),
        (f'{ADE}/annotations/training/ADE_train_00020210.png', 'mine'),
        (f'{ADE}/images/validation/ADE_val_00002000.jpg', 'mine'),
        (f'{ADE}/toyworld.json', '{"description": "mine"}'),
    ],
)
def test_data_of_another_origin_is_never_touched(
    tmp_path, name, text, mixed, force
):
    if mixed:
        write_world(tmp_path, SMALL)
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    before = contents(tmp_path)
    with pytest.raises(FileExistsError, match='not of a toy world'):
        world = replace(SMALL, seed=9) if force else SMALL
        write_world(tmp_path, world, force=force)
    assert contents(tmp_path) == before


def test_an_unknown_layout_is_named(tmp_path):
    with pytest.raises(ValueError, match='layouts=voc: wanted some of coco, '):
        write_world(tmp_path, SMALL, ['coco', 'voc'])
    assert not contents(tmp_path)
