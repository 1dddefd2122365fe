"""Data sets of clips: what they read, and what they do about damage."""

import random
import sys
import warnings

import cv2
import numpy as np
import pytest
import torch
from mmcv.transforms import BaseTransform
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope, init_default_scope
from torch.utils.data import DataLoader

pytest.importorskip('mmaction')
pytest.importorskip('decord')
from mmaction.datasets import repeat_pseudo_collate
from mmaction.datasets.transforms import DecordInit
from mmaction.registry import DATASETS

from mmuniformer.errors import LocalUserError, UserError
from mmuniformer.hosts.mmaction import datasets as mmaction_data
from mmuniformer.weights import labels

from .videos import FRAMES, JUNK, PACK, VIDEO, folders, videos, write_video


@pytest.fixture(autouse=True)
def scope():
    with DefaultScope.overwrite_default_scope('mmaction'):
        yield


@pytest.fixture
def warned(monkeypatch):
    """What is logged, message by message."""
    messages = []
    monkeypatch.setattr(
        mmaction_data,
        'print_log',
        lambda message, logger, level: messages.append(message),
    )
    return messages


def build(cfg, **changes):
    return DATASETS.build({**cfg, **changes})


def label(sample):
    return sample['data_samples'].gt_label.item()


def test_videos_are_red_first(tmp_path):
    sample = build(videos(tmp_path))[1]
    assert sample['inputs'].shape == (1, 3, 4, 32, 64)
    assert sample['inputs'].dtype == torch.uint8
    red, _, blue = sample['inputs'][0, :, 0, 4, 4]
    assert blue > 200 > 150 > red
    assert label(sample) == 1


def test_raw_frames_are_blue_first(tmp_path):
    sample = build(folders(tmp_path))[2]
    assert sample['inputs'].shape == (1, 3, 4, 32, 64)
    blue, _, red = sample['inputs'][0, :, 0, 4, 4]
    assert blue > 200 > 150 > red
    assert label(sample) == 2


def test_the_frames_that_are_sampled_are_those_that_come(tmp_path):
    cfg = folders(tmp_path, split='val')
    sampling = dict(FRAMES[0], clip_len=3, test_mode=True)
    sample = build(cfg, pipeline=[sampling, *FRAMES[1:], *PACK])[0]
    # 11 / 3 frames a segment; its middle; frame 0 has grey 10, the next 25.
    wanted = [10 + 15 * (start + 1) for start in (0, 4, 7)]
    lower = sample['inputs'][0, :, :, 24:].float().mean((0, 2, 3))
    assert np.allclose(lower, wanted, atol=2)


@pytest.mark.parametrize('total, wanted', [(1, [0] * 4), (5, [0, 2, 4, 4])])
def test_short_videos_repeat_their_last_frame(tmp_path, total, wanted):
    cfg = videos(tmp_path)
    write_video(tmp_path / 'train/a.mp4', total)
    sample = build(cfg)[0]
    lower = sample['inputs'][0, :, :, 24:].float().mean((0, 2, 3))
    assert np.allclose(lower, [10 + 15 * i for i in wanted], atol=4)


def test_list_by_spaces_and_paths_with_delimiters(tmp_path):
    cfg = videos(tmp_path, names=('a b, c', 'd,e'))
    assert [label(sample) for sample in build(cfg)] == [0, 1]
    text = (tmp_path / 'train.csv').read_text().replace('.mp4,', '.mp4  ')
    (tmp_path / 'train.csv').write_text(text)
    dataset = build(cfg, delimiter=' ')
    assert [label(sample) for sample in dataset] == [0, 1]


def test_alphabetical_numbers_become_the_authors(tmp_path):
    cfg = videos(tmp_path)
    (tmp_path / 'train.csv').write_text('a.mp4,0\na.mp4,1\na.mp4,399\n')
    dataset = build(cfg, class_order='alphabetical', labels='k400')
    names = labels.class_names(400)
    found = [names[label(sample)] for sample in dataset]
    assert found == ['abseiling', 'air drumming', 'zumba']
    published = build(cfg)
    assert [label(sample) for sample in published] == [0, 1, 399]


def test_a_pipeline_that_somebody_wraps_is_the_one_that_runs(tmp_path):
    """As ``browse_dataset.py`` of mmaction2 does it."""
    data = build(videos(tmp_path))
    transforms = data.pipeline.transforms
    data.pipeline = lambda results: [t(results) for t in transforms[:1]]
    assert [r['total_frames'] for r in data[0]] == [12]


def test_a_pipeline_put_in_later_names_damaged_files(tmp_path):
    data = build(videos(tmp_path, split='val'))
    (tmp_path / 'val/a.mp4').write_bytes(b'')
    data.pipeline = Compose([DecordInit()])
    with pytest.raises(LocalUserError, match=r'a\.mp4.*cannot be read'):
        data[0]


def test_bad_options(tmp_path):
    cfg = videos(tmp_path)
    with pytest.raises(UserError, match=r"class_order='abc'.*'alphabetical'"):
        build(cfg, class_order='abc')
    with pytest.raises(UserError, match=r"labels='k700': wanted 'k400' or"):
        build(cfg, labels='k700')
    (tmp_path / 'train.csv').write_text('a.mp4,0\na.mp4,400\n')
    with pytest.raises(
        UserError, match=r'line 2: label 400 .*k400.* 0 to 399'
    ):
        build(cfg, class_order='alphabetical')


def spoil(root, damage):
    """Damages the video and the frames of 'b'; the path to be named."""
    paths = [root / 'train/b.mp4', root / 'frames/b/img_00001.jpg']
    for path in filter(lambda path: path.exists(), paths):
        if damage == 'missing':
            path.unlink()
        elif damage == 'cut':
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        else:
            path.write_bytes(JUNK[damage])
        return str(path)


@pytest.mark.parametrize('damage', ['missing', 'cut', *JUNK])
def test_damaged_video(tmp_path, warned, damage):
    cfg = videos(tmp_path)
    path = spoil(tmp_path, damage)
    dataset = build(cfg)
    np.random.seed(0)
    found = {label(dataset[1]) for _ in range(20)}
    assert found == {0, 2}
    assert len(warned) == 1 and repr(path) in warned[0]
    with pytest.raises(LocalUserError, match=path):
        build(cfg, test_mode=True)[1]


@pytest.fixture
def all_frames(tmp_path):
    """Clips of all 12 frames of a folder."""
    sampling = dict(VIDEO[1], clip_len=12, frame_interval=1)
    cfg = folders(tmp_path)
    return dict(cfg, pipeline=[sampling, *FRAMES[1:], *PACK])


# Half a JPEG is none of them: OpenCV gives the upper half.
@pytest.mark.parametrize('damage', ['missing', *JUNK])
def test_damaged_frame(tmp_path, all_frames, warned, damage):
    path = spoil(tmp_path, damage)
    dataset = build(all_frames)
    np.random.seed(0)
    assert {label(dataset[1]) for _ in range(20)} == {0, 2}
    assert len(warned) == 1 and repr(path) in warned[0]
    with pytest.raises(LocalUserError, match=path):
        build(all_frames, test_mode=True)[1]


def test_frame_of_another_size(tmp_path, all_frames, warned):
    path = tmp_path / 'frames/b/img_00004.jpg'
    cv2.imwrite(str(path), np.zeros((8, 8, 3), np.uint8))
    assert label(build(all_frames)[1]) != 1
    assert 'frames/b' in warned[0] and 'differ in size' in warned[0]


def test_too_many_damaged_in_a_row(tmp_path, warned):
    cfg = videos(tmp_path, names='abcdef')
    for path in (tmp_path / 'train').iterdir():
        path.write_bytes(b'')
    with pytest.raises(
        LocalUserError,
        match=r'train\.csv.* 4 samples in a '
        r"row .* the last: '.*\.mp4', 0 bytes",
    ):
        build(cfg, max_refetch=3)[0]


class Broken(BaseTransform):
    """An augmentation with a mistake."""

    def transform(self, results):
        raise RuntimeError('a mistake')


@pytest.mark.parametrize('place', [1, 3])
def test_mistakes_elsewhere_are_not_swallowed(tmp_path, warned, place):
    steps = [*VIDEO, *PACK]
    steps.insert(place, Broken())
    with pytest.raises(RuntimeError, match='a mistake'):
        build(videos(tmp_path), pipeline=steps)[0]
    assert not warned


def test_a_missing_decoder_is_not_a_damaged_video(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'decord', None)
    with pytest.raises(ImportError, match='decord'):
        build(videos(tmp_path))[0]


TRAIN = [
    *VIDEO,
    dict(
        type='mmuniformer.RepeatedAugment',
        num_repeats=2,
        transforms=[
            dict(type='mmuniformer.ClipAutoAugment', policy='rand'),
            dict(type='mmuniformer.ClipResizedCrop', size=16),
            dict(type='Flip', flip_ratio=0.5),
            dict(
                type='mmuniformer.ClipErasing',
                prob=0.25,
                mean=[114.75] * 3,
                std=[57.375] * 3,
            ),
            *PACK,
        ],
    ),
]


def begin(worker):
    """As mmengine seeds its workers."""
    init_default_scope('mmaction')
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(100 + worker)


@pytest.mark.parametrize('method, workers', [('fork', 2), ('spawn', 1)])
def test_workers(tmp_path, method, workers):
    pytest.importorskip('timm')
    cfg = videos(tmp_path, names='abcd')
    (tmp_path / 'train/c.mp4').write_bytes(b'')
    loader = DataLoader(
        build(cfg, pipeline=TRAIN),
        batch_size=2,
        num_workers=workers,
        collate_fn=repeat_pseudo_collate,
        worker_init_fn=begin,
        multiprocessing_context=method,
    )
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # of threads that are forked
        batches = list(loader)
        again = list(loader) if method == 'fork' else []
    for batch in batches:
        assert len(batch['inputs']) == len(batch['data_samples']) == 4
        numbers = [sample.gt_label.item() for sample in batch['data_samples']]
        assert numbers[0::2] == numbers[1::2] and 2 not in numbers
        clips = batch['inputs']
        assert clips[0].shape == (1, 3, 4, 16, 16)
        assert not torch.equal(clips[0], clips[1])
    for one, two in zip(batches, again):
        for a, b in zip(one['inputs'], two['inputs']):
            assert torch.equal(a, b)  # the draws are those of the seed


def test_a_line_without_a_label(tmp_path):
    cfg = videos(tmp_path)
    (tmp_path / 'train.csv').write_text('a.mp4,0\nb.mp4\n')
    with pytest.raises(UserError, match=r'line 2: .* wanted .PATH,LABEL'):
        build(cfg)
