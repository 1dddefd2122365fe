"""Pipelines take turns, and the table says what they cost."""

import random
import sys
import time

import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmuniformer.analysis import loader, loader_workers
from mmuniformer.errors import UserError
from mmuniformer.registry import TRANSFORMS

from .. import ROOT

pytest.importorskip('mmpretrain')


def config(toy_data):
    cfg = Config.fromfile(ROOT / 'configs/cls/uniformer_toy.py')
    cfg.train_dataloader.dataset.data_root = str(toy_data / 'imagenet')
    return cfg


def test_a_config_against_another(toy_data, tmp_path):
    cfg = config(toy_data)
    path = tmp_path / 'other.py'
    cfg.dump(path)
    rows = loader.rows_of(cfg, [str(path)])
    loader.race(rows, samples=3, rounds=2)
    assert [row.name for row in rows] == ['ours', 'other']
    assert [len(row.times) for row in rows] == [2, 2]
    found = loader.record(rows, 3)
    assert len(found['rows']['ours']['turns']) == 2
    assert found['ratios']['other'] == pytest.approx(
        rows[1].seconds / rows[0].seconds, abs=0.01
    )
    text = loader.report(rows)
    assert '| ours |' in text and '| other |' in text
    steps = [line for line in text.splitlines() if line.startswith('- ')]
    kinds = [step.type for step in cfg.train_dataloader.dataset.pipeline]
    assert [s[2:].split(':')[0] for s in steps] == kinds * 2


def test_the_median_of_the_turns_counts():
    row = loader.Row('x', lambda i: time.sleep(0), list)
    row.times = [1.0, 9.0, 2.0]
    assert row.seconds == 2


def test_peers_that_cannot_be(toy_data):
    cfg = config(toy_data)
    rows = loader.rows_of(cfg, [])
    cfg.default_scope = 'mmdet'
    with pytest.raises(UserError, match='--peer=timm: wanted a config of mmp'):
        loader.picture_row('timm', cfg, rows[0])
    with pytest.raises(UserError, match='--peer=frames: wanted a config of'):
        loader.frames_row(cfg)
    with pytest.raises(UserError, match="no pipeline of 'mmengine' is known"):
        loader.host_config('mmengine')
    with pytest.raises(UserError, match='no train_dataloader'):
        loader.config_row('x', Config(dict(default_scope='mmpretrain')))


@pytest.mark.parametrize('policy', ['rand-m7-n4-mstd0.5-inc1', 'rand-m10-n3'])
def test_frame_by_frame_draws_and_gives_the_same(policy):
    pytest.importorskip('mmaction')
    from mmuniformer.analysis.loader_peers import frame_by_frame

    step = dict(type='mmuniformer.ClipAutoAugment', policy=policy)
    crop = dict(type='mmuniformer.ClipResizedCrop', size=24)
    frames = np.random.default_rng(0).integers(
        0, 256, (5, 32, 40, 3), np.uint8
    )
    for seed in range(4):
        made = []
        for make in (TRANSFORMS.build, frame_by_frame):
            random.seed(seed)
            np.random.seed(seed)
            torch.manual_seed(seed)
            results = make(step)(dict(imgs=list(frames)))
            made.append(np.array(results['imgs']))
            made.append(make(crop)(results)['imgs'])
        assert np.array_equal(made[0], made[2])
        assert np.abs(made[1] - made[3]).max() < 0.01


@pytest.mark.skipif(sys.platform != 'linux', reason='/proc')
def test_memory_of_workers(toy_data):
    cfg = config(toy_data)
    with pytest.raises(UserError, match='less than a batch'):
        loader_workers.measure(cfg, workers=1)
    cfg.train_dataloader.batch_size = 2
    found = loader_workers.measure(cfg, workers=1, batches=2)
    assert 1 < found['uss'] < found['pss'] < found['rss']
    assert found['first_batch_seconds'] > 0
    assert f'after 2 batches: {found["uss"]} MiB' in loader_workers.report(
        found
    )
    cfg.pop('train_dataloader')
    with pytest.raises(UserError, match='--workers: the config has no train'):
        loader_workers.measure(cfg, workers=1)
