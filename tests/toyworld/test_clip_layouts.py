"""The layouts of clips, Kinetics and Something-Something."""

from collections import Counter
from dataclasses import replace
from itertools import combinations

import cv2
import numpy as np
import pytest

from mmuniformer.toyworld import CLIP_LAYOUTS, LAYOUTS, World, write_world
from mmuniformer.toyworld.motion import (
    CLASSES,
    FRAMES,
    HEIGHT,
    WIDTH,
    clip,
    film,
    label,
    order,
)
from mmuniformer.toyworld.ssv import FOLDER

WORLD = World(images_train=8, images_val=3)
K400, SSV = (layout.path for layout in CLIP_LAYOUTS.values())
LABELS = range(len(CLASSES))


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob('*')
        if path.is_file()
    }


def write(out, world=WORLD, **kwargs):
    return write_world(out, world, [*CLIP_LAYOUTS], **kwargs)


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    out = tmp_path_factory.mktemp('toyworld')
    assert write(out) == [*CLIP_LAYOUTS]
    return out


@pytest.fixture(scope='module')
def films():
    return [film(WORLD, 'train', index) for index in range(16)]


# What the classes are.


@pytest.mark.parametrize('number', LABELS)
def test_every_class_shows_each_frame_of_a_film_once(films, number):
    """So clips with shuffled frames are of any class."""
    for source in films:
        assert sorted(order(source, number)) == [*range(FRAMES)]


def test_a_film_is_made_before_its_class_is_looked_up(films):
    """Drawn again it is shown in the order of the class, no more."""
    for index, source in enumerate(films):
        shown = source.frames[order(source, label(index))]
        assert (clip(WORLD, 'train', index) == shown).all()


def test_the_order_of_a_few_frames_tells_the_class(films):
    for source in films:
        orders = [order(source, number)[1::3] for number in LABELS]
        for first, second in combinations(orders, 2):
            assert (first != second).sum() >= 4


@pytest.mark.parametrize('number', LABELS)
def test_a_clip_does_what_the_name_of_its_class_says(films, number):
    way, speed, event = CLASSES[number].split(', ')
    for source in films:
        shown = order(source, number)
        moves = (np.diff(source.places[shown]) + 0.5) % 1 - 0.5
        assert ((moves > 0) == (way == 'to the right')).all()
        quarters = np.abs(np.append(moves, 0)).reshape(4, -1).max(1)
        fast = quarters > 1.5 / FRAMES
        assert (
            fast == [speed == 'fast first', speed != 'fast first'] * 2
        ).all()
        present = source.present[shown]
        assert present.sum() == FRAMES // 2
        (change, *_) = np.flatnonzero(np.diff(present))[::-1]
        assert present[change + 1] == (event == 'comes last')


def test_the_film_is_closed_and_crosses_the_picture_once(films):
    for source in films:
        moves = np.diff(source.places, append=source.places[0]) % 1
        assert moves.sum() == pytest.approx(1)
        # The end of the film meets its start as any frame the next one.
        assert moves[-1] == pytest.approx(moves[FRAMES // 2 - 1])


def test_films_start_anywhere():
    sources = [film(WORLD, 'val', k) for k in range(60)]
    counts = Counter(int(4 * source.places[0]) for source in sources)
    assert all(counts[quarter] > 5 for quarter in range(4))
    assert 15 < sum(source.present[0] for source in sources) < 45


def test_the_pictures_show_both_things_and_nothing_else_moves(films):
    middle = HEIGHT // 2
    columns = np.arange(WIDTH) + 0.5
    for source in films:
        halves = source.frames[:, :middle], source.frames[:, middle:]
        bare = [np.median(half[~source.present], 0) for half in halves]
        first = source.frames[source.present.argmax()]
        shown = first[:middle] != bare[0], first[middle:] != bare[1]
        # The second thing is in the half that is otherwise still.
        rest = [
            (half[~source.present] != b).sum() for half, b in zip(halves, bare)
        ]
        guest = int(rest[0] > rest[1])
        assert (halves[guest][~source.present] == bare[guest]).all()
        assert shown[guest].sum() > 100
        assert (
            halves[guest][source.present]
            == first[guest * middle : (1 + guest) * middle]
        ).all()
        mover = halves[1 - guest]
        moved = (mover != np.median(mover, 0)).any(-1)
        for picture, place in zip(moved, source.places):
            away = np.abs(columns - place * (WIDTH + 23) + 11.5) > 18
            assert picture[:, away].mean() < 0.02
            assert not 0.2 < place < 0.8 or picture[:, ~away].sum() > 20


def test_classes_are_equally_frequent():
    counts = Counter(label(index) for index in range(80))
    assert counts == dict.fromkeys(LABELS, 10)


# Their files.


def test_kinetics_lists_its_videos(root):
    names = [f'{n:08d}.mp4' for n in range(1, 9)]
    for split, n in (('train', 8), ('val', 3)):
        found = sorted(p.name for p in (root / K400 / split).iterdir())
        assert found == names[:n]
        lines = (root / K400 / f'{split}.csv').read_text().splitlines()
        assert lines == [f'{x},{k}' for k, x in enumerate(names[:n])]


def test_a_video_shows_its_clip(root):
    video = cv2.VideoCapture(str(root / K400 / 'val' / '00000003.mp4'))
    wanted = clip(WORLD, 'val', 2)
    for frame in wanted:
        found = video.read()[1][..., ::-1]
        assert np.abs(found.astype(int) - frame).mean() < 8
    assert not video.read()[0]


def test_something_something_lists_its_folders(root):
    ids = {'train': range(1, 9), 'val': range(1_000_001, 1_000_004)}
    for split, numbers in ids.items():
        lines = (root / SSV / f'{split}.txt').read_text().splitlines()
        assert lines == [f'{n} 24 {k}' for k, n in enumerate(numbers)]
    frames = (root / SSV / FOLDER / '1000002').iterdir()
    names = sorted(path.name for path in frames)
    assert names == [f'{n:05d}.jpg' for n in range(1, 25)]


def test_a_folder_shows_its_clip(root):
    frames = sorted((root / SSV / FOLDER / '1000002').iterdir())
    for path, wanted in zip(frames, clip(WORLD, 'val', 1), strict=True):
        found = cv2.imread(str(path))[..., ::-1].astype(int)
        assert np.abs(found - wanted).mean() < 8


def test_the_hosts_data_sets_read_them(root):
    datasets = pytest.importorskip('mmaction.datasets')
    videos = datasets.VideoDataset(
        str(root / K400 / 'val.csv'),
        [dict(type='mmaction.DecordInit')],
        dict(video=str(root / K400 / 'val')),
        delimiter=',',
    )
    frames = datasets.RawframeDataset(
        str(root / SSV / 'val.txt'),
        [dict(type='mmaction.RawFrameDecode')],
        dict(img=str(root / SSV / FOLDER)),
        filename_tmpl='{:05}.jpg',
    )
    assert len(videos) == len(frames) == 3
    for index in range(3):
        video, folder = videos[index], frames.get_data_info(index)
        assert video['total_frames'] == folder['total_frames'] == FRAMES
        assert video['label'] == folder['label'] == label(index)


@pytest.mark.parametrize('workers', [1, 2])
def test_equal_worlds_are_equal_bytes(tmp_path, root, workers):
    write(tmp_path, workers=workers)
    assert contents(tmp_path) == contents(root)


def test_another_seed_makes_other_clips():
    other = replace(WORLD, seed=1)
    assert (clip(other, 'val', 0) != clip(WORLD, 'val', 0)).any()


def test_a_larger_world_begins_with_the_smaller_one(tmp_path, root):
    write(tmp_path, replace(WORLD, images_train=9))
    few, many = contents(root), contents(tmp_path)
    shared = [name for name in few if name.endswith(('mp4', 'jpg'))]
    assert all(many[name] == few[name] for name in shared)


def test_pictures_alone_are_the_default(tmp_path):
    few = World(size=64, images_train=1, images_val=1)
    assert write_world(tmp_path, few) == [*LAYOUTS]
    assert not {*LAYOUTS} & {*CLIP_LAYOUTS}


# The guard of their folders.


LOST = [
    f'{K400}/classes.json',
    f'{K400}/val.csv',
    f'{K400}/train/00000002.mp4',
    f'{SSV}/train.txt',
    f'{SSV}/{FOLDER}/3/00007.jpg',
]


def test_a_complete_world_is_left_alone(root):
    times = {p: p.stat().st_mtime_ns for p in root.rglob('*')}
    assert write(root) == []
    assert times == {p: p.stat().st_mtime_ns for p in root.rglob('*')}


@pytest.mark.parametrize('lost', LOST)
def test_an_incomplete_world_is_completed(tmp_path, root, lost):
    write(tmp_path)
    (tmp_path / lost).unlink()
    assert write(tmp_path)
    assert contents(tmp_path) == contents(root)


def test_an_interrupted_run_leaves_no_list(tmp_path):
    def interrupt(done, total):
        raise KeyboardInterrupt

    write(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, force=True, progress=interrupt)
    assert not [*tmp_path.rglob('*.csv'), *tmp_path.rglob('*.txt')]


def test_another_world_is_replaced_only_by_force(tmp_path):
    write(tmp_path)
    other = replace(WORLD, seed=1, images_train=2, images_val=1)
    with pytest.raises(FileExistsError, match=r'seed=0.*--force'):
        write(tmp_path, other)
    write(tmp_path, other, force=True)
    folders = sorted(p.name for p in (tmp_path / SSV / FOLDER).iterdir())
    assert folders == ['1', '1000001', '2']


@pytest.mark.parametrize('mixed', [False, True])
@pytest.mark.parametrize(
    'name',
    [
        f'{K400}/train.csv',
        f'{K400}/val/abc.mp4',
        f'{SSV}/val.txt',
        f'{SSV}/{FOLDER}/1/00025.jpg',
        f'{SSV}/{FOLDER}/4000/00001.jpg',
    ],
)
def test_data_of_another_origin_is_never_touched(tmp_path, name, mixed):
    if mixed:
        write(tmp_path)
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('mine')
    before = contents(tmp_path)
    with pytest.raises(FileExistsError, match='not of a toy world'):
        write(tmp_path, replace(WORLD, seed=9), force=True)
    assert contents(tmp_path) == before


def test_an_unknown_layout_is_named(tmp_path):
    with pytest.raises(ValueError, match=r'=k400: wanted .*kinetics'):
        write_world(tmp_path, WORLD, ['ssv', 'k400'])
    assert not contents(tmp_path)
