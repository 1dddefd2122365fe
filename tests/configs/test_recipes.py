"""What the recipes of image tasks have in common, against the official ones.

What a task has for itself is in a file of its own.
"""

import pytest

from mmuniformer.analysis.complexity import count_parameters
from mmuniformer.models.arch import ARCHS, LIGHT_ARCHS

from .. import ROOT
from .common import learning_rates, table
from .test_configs import is_own

TASKS = ('cls', 'det', 'seg', 'pose')


@pytest.mark.parametrize('task', TASKS)
def test_the_table_has_every_recipe(task):
    assert set(table(task)) == {
        path.stem
        for path in (ROOT / f'configs/{task}').glob('*.py')
        if not is_own(path)
    }


def test_size(row, backbone):
    size = {**ARCHS, **LIGHT_ARCHS}[row['arch']]
    # Recipes of classification have their own, see there.
    own = row['task'] == 'cls'
    head_dim = backbone.arch.head_dim if own else size.head_dim
    assert backbone.arch == size._replace(head_dim=head_dim)


def test_drop_path(row, backbone):
    rate = backbone.blocks4[-1].drop_path.rate
    assert rate == pytest.approx(row['drop_path_rate'])


def test_checkpointed_blocks(row, backbone):
    wanted = row.get('checkpointed', [0, 0, 0, 0])
    assert list(backbone.checkpointed) == wanted


def test_attention_of_stage_3(row, backbone):
    assert backbone.attention == row.get('attention', 'global')
    if backbone.attention == 'hybrid':
        windows = [block.window_size for block in backbone.blocks3]
        assert windows == [
            0 if (i + 1) % 4 == 0 else row['window_size']
            for i in range(len(windows))
        ]


def test_starting_weights(cfg, row):
    init_cfg = cfg.model.backbone.get('init_cfg')
    if 'pretrained' in row:
        assert f'/{row["pretrained"]}.pth' in init_cfg.checkpoint
    else:
        assert row['task'] == 'cls' and not init_cfg


def test_input(cfg, row):
    preprocessor = cfg.model.data_preprocessor
    turned = 'to_rgb' if row['task'] == 'cls' else 'bgr_to_rgb'
    assert preprocessor[turned]
    assert (preprocessor.mean, preprocessor.std) == (row['mean'], row['std'])


def test_optimizer(cfg, row):
    wrapper = cfg.optim_wrapper
    assert wrapper.optimizer.type == 'AdamW'
    assert list(wrapper.optimizer.betas) == row['betas']
    assert wrapper.optimizer.get('eps', 1e-8) == 1e-8
    assert wrapper.get('clip_grad') is None
    if row['amp']:
        assert wrapper.type == 'AmpOptimWrapper'
        assert wrapper.get('loss_scale', 'dynamic') == 'dynamic'
    else:
        assert wrapper.type == 'OptimWrapper' and 'loss_scale' not in wrapper


def test_learning_rate_in_steps(cfg, row):
    """In every iteration of epochs that are long enough to warm up in."""
    if 'steps' not in row:
        pytest.skip('another schedule')
    epochs, (warmup, first) = row['epochs'], row['warmup']
    length = 2 * warmup // epochs + 1
    wanted = [
        min(first + (1 - first) * i / warmup, 1)
        * 0.1 ** sum(i // length >= step for step in row['steps'])
        for i in range(epochs * length)
    ]
    rates = learning_rates(cfg.param_scheduler, epochs * length, length)
    assert rates == pytest.approx(wanted)
    assert cfg.train_cfg.max_epochs == epochs


def test_parameters(model, row):
    million = count_parameters(model) / 1e6
    unit = 1e-6 if row['task'] == 'cls' else 1.0
    wanted = row['parameters'] * unit
    assert million == pytest.approx(wanted, abs=0.005 * unit)
