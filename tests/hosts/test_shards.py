"""Pictures and videos in tar files are those of folders."""

import subprocess

import numpy as np
import pytest
from mmengine.registry import DATASETS, init_default_scope

from mmuniformer.engine.bad_data import BadData
from mmuniformer.engine.places import Place, place_dataset, seed_all
from mmuniformer.errors import LocalUserError, UserError

READ = [
    dict(type='mmuniformer.LoadImageFromFile'),
    dict(type='mmuniformer.RandomFlip', prob=0.5),
    dict(type='mmuniformer.PackInputs'),
]


def pack(folder, path):
    command = ['tar', '-C', str(folder), '-cf', str(path), '.']
    subprocess.run(command, check=True)


def build(**cfg):
    init_default_scope('mmpretrain')
    return DATASETS.build(dict(cfg, pipeline=cfg.get('pipeline', READ)))


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    pytest.importorskip('mmpretrain')
    import cv2

    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    rng = np.random.default_rng(0)
    for number in range(8):
        path = tmp_path / f'train/c{number % 2}/{number // 2}.jpg'
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), rng.integers(0, 255, (20, 24, 3), np.uint8))
    pack(tmp_path, tmp_path.parent / 'all.tar')
    (tmp_path.parent / 'all.tar').rename(tmp_path / 'all.tar')
    return tmp_path


def test_a_tar_file_gives_the_samples_of_its_folder(pictures):
    wanted = build(type='CustomDataset', data_root=str(pictures / 'train'))
    root = f'tar://{pictures}/all.tar'
    for other in (
        build(type='CustomDataset', data_root=root, data_prefix='train'),
        build(type='mmuniformer.ShardDataset', data_root=f'{root}/train'),
        build(
            type='mmuniformer.ShardDataset',
            data_root='data/else',
            data_prefix=f'{root}/train',
        ),
    ):
        assert other.CLASSES == wanted.CLASSES == ('c0', 'c1')
        assert len(other) == len(wanted) == 8
        for index in range(8):
            found, picture = (
                [seed_all(index), data[index]][1] for data in (other, wanted)
            )
            assert found['inputs'].equal(picture['inputs'])
            label = picture['data_samples'].gt_label
            assert found['data_samples'].gt_label == label


def test_classes_that_do_not_fit(pictures):
    root = f'tar://{pictures}/all.tar/train'
    names = ['a', 'b', 'c']
    with pytest.raises(UserError, match=r'has 2 folders .* has 3 classes'):
        build(type='mmuniformer.ShardDataset', data_root=root, classes=names)
    with pytest.raises(UserError, match=r"nowhere\.tar' does not exist"):
        build(type='mmuniformer.ShardDataset', data_root='tar://nowhere.tar')


def test_a_damaged_picture_in_a_tar_file_is_named(pictures):
    (pictures / 'train/c1/3.jpg').write_bytes(b'\xff\xd8 no picture')
    pack(pictures / 'train', pictures / 'bad.tar')
    root = f'tar://{pictures}/bad.tar'
    data = build(type='mmuniformer.ShardDataset', data_root=root)
    place = Place(7)
    place.numbers = 1, 0, 0, 0, 0
    policy = BadData(limit=5)
    place_dataset(data, policy)
    assert data[place]['inputs'].shape == (3, 20, 24)
    assert f'{root}/c1/3.jpg' in ''.join(policy.named)
    policy.limit = 1
    with pytest.raises(LocalUserError, match=r'bad\.tar/c1/3\.jpg'):
        data[place]


def test_videos_in_a_tar_file_are_those_of_files(tmp_path, monkeypatch):
    pytest.importorskip('mmaction')
    from .videos import VIDEO, write_video

    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    for number in range(3):
        write_video(tmp_path / f'in/{number}.mp4', 12 - number)
        (tmp_path / f'in/{number}.cls').write_text(str(5 - number))
    (tmp_path / 'in/3.mp4').write_bytes(b'no video')
    (tmp_path / 'in/3.cls').write_text('0')
    (tmp_path / 'list.csv').write_text('0.mp4,5\n1.mp4,4\n2.mp4,3\n3.mp4,0\n')
    pack(tmp_path / 'in', tmp_path / 'v.tar')
    init_default_scope('mmaction')
    root = f'tar://{tmp_path}/v.tar'
    pipeline = [dict(VIDEO[0], type='mmuniformer.DecordInit'), *VIDEO[1:]]
    wanted, listed, alone = (
        DATASETS.build(
            dict(
                type='mmuniformer.ClipDataset',
                ann_file=ann_file,
                data_prefix=dict(video=folder),
                pipeline=pipeline,
                test_mode=True,
            )
        )
        for ann_file, folder in (
            (str(tmp_path / 'list.csv'), str(tmp_path / 'in')),
            (str(tmp_path / 'list.csv'), root),
            ('', root),
        )
    )
    for other in (listed, alone):
        assert len(other) == 4
        for index in range(3):
            found, clip = (
                [seed_all(index), data[index]][1] for data in (other, wanted)
            )
            assert np.array_equal(found['imgs'], clip['imgs'])
            assert found['label'] == clip['label'] == 5 - index
        with pytest.raises(LocalUserError, match=r'v\.tar/3\.mp4.* cannot be'):
            other[3]


def test_frames_in_a_tar_file_are_those_of_folders(tmp_path, monkeypatch):
    pytest.importorskip('mmaction')
    from .videos import FRAMES, write_frames

    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    for number in range(2):
        write_frames(tmp_path / f'in/{number}', 12 - number)
    (tmp_path / 'list.txt').write_text('0 12 3\n1 11 1\n')
    pack(tmp_path / 'in', tmp_path / 'f.tar')
    init_default_scope('mmaction')
    decode = dict(FRAMES[1], io_backend='tar')
    wanted, found = (
        DATASETS.build(
            dict(
                type='mmuniformer.FrameDataset',
                ann_file=str(tmp_path / 'list.txt'),
                data_prefix=dict(img=folder),
                pipeline=[FRAMES[0], step, FRAMES[2]],
            )
        )
        for folder, step in (
            (str(tmp_path / 'in'), FRAMES[1]),
            (f'tar://{tmp_path}/f.tar', decode),
        )
    )
    for index in range(2):
        clip, other = (
            [seed_all(index), data[index]][1] for data in (wanted, found)
        )
        assert np.array_equal(clip['imgs'], other['imgs'])
        assert clip['label'] == other['label'] == 3 - 2 * index
