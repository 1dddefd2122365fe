"""Options of the tools that stand for many places of a config."""

import pytest

from mmuniformer.engine.config import (
    add_training_options,
    common_parser,
    default_work_dir,
    load_config,
)
from mmuniformer.errors import UserError

from .. import ROOT
from ..weights import weight_files

log_lines = pytest.fixture(weight_files.log_lines)
DET = str(ROOT / 'configs/det/mask_rcnn_uniformer_s.py')


def loaded(*arguments):
    parser = common_parser('Train.')
    add_training_options(parser)
    return load_config(parser.parse_args([DET, *arguments]))


def test_options():
    cfg = loaded(
        *('--data-root', '/mine', '--epochs', '24', '--batch-size', '4')
    )
    assert cfg.train_dataloader.dataset.data_root == '/mine'
    assert cfg.test_evaluator.ann_file.startswith('/mine/annotations/')
    assert list(cfg.param_scheduler[1].milestones) == [16, 22]
    assert cfg.train_dataloader.batch_size == 4 and cfg.auto_scale_lr.enable
    assert loaded('--lr', '3e-4').optim_wrapper.optimizer.lr == 3e-4


def test_keys_among_the_other_options():
    cfg = loaded('--cfg-options', 'epochs=6', 'train_cfg.val_interval=2')
    assert cfg.train_cfg.max_epochs == 6 and 'epochs' not in cfg
    assert cfg.train_cfg.val_interval == 2


@pytest.mark.parametrize(
    ('arguments', 'wanted'),
    [
        (['--iters', '3'], 'this config counts in epochs; wanted epochs'),
        (['--epochs', '0'], 'epochs=0: wanted a positive int'),
        (['--cfg-options', 'frames=3'], 'frames=3: the config has no'),
    ],
)
def test_bad_options(arguments, wanted):
    with pytest.raises(UserError, match=wanted):
        loaded(*arguments)


def test_strays_are_told(log_lines):
    loaded('--cfg-options', 'val_dataloader.dataset.data_root=other')
    said = ' '.join(log_lines().split())
    assert (
        'val_dataloader and test_dataloader differ in dataset.data_root'
        in said
    )


@pytest.mark.parametrize(
    'config, wanted',
    [
        ('configs/cls/uniformer_toy.py', 'work_dirs/cls/uniformer_toy'),
        ('configs/video/uniformer_toy.py', 'work_dirs/video/uniformer_toy'),
        ('configs/cls/uniformer_s.py', 'work_dirs/uniformer_s'),
        ('configs/pure_python/uniformer_s.py', 'work_dirs/uniformer_s'),
        ('elsewhere/uniformer_toy.py', 'work_dirs/uniformer_toy'),
    ],
)
def test_two_tasks_do_not_share_a_work_dir(config, wanted):
    assert default_work_dir(ROOT / config) == wanted
