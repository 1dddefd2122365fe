"""The segmentation recipe of the toy world in two processes."""

from importlib.util import find_spec

import pytest

from .. import ROOT

pytestmark = pytest.mark.skipif(
    find_spec('mmseg') is None, reason='needs mmseg'
)
TOY = ROOT / 'configs/seg/fpn_uniformer_toy.py'


def test_training_from_a_url(run_tool, toy_cwd, from_url, weight_server):
    done = run_tool(
        'dist_train.sh', from_url(TOY, toy_cwd), 2,
        '--cfg-options', 'train_cfg.max_iters=2', 'train_cfg.val_interval=2',
        'train_dataloader.batch_size=1', 'train_dataloader.num_workers=0',
        'train_dataloader.persistent_workers=False',
        'val_dataloader.num_workers=0',
        'val_dataloader.persistent_workers=False', cwd=toy_cwd,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert 'mIoU' in done.stdout
    assert weight_server.gets.count(f'/{TOY.stem}.pth') == 1
