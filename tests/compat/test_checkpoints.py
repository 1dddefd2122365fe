"""mmengine's own checkpoints load, and nothing that runs code does."""

import pickle
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

pytest.importorskip('mmengine')
if torch.__version__ < '2.6':
    pytest.skip('torch < 2.6 loads everything', allow_module_level=True)

from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer
from mmengine.model import BaseModel
from mmengine.runner import Runner, load_checkpoint

from mmuniformer.compat import safe_checkpoints


class Tiny(BaseModel):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)

    def forward(self, *inputs, mode):
        return dict(loss=self.layer(torch.stack(inputs)).mean())


class Numbers(list):
    metainfo = dict(
        classes=('a', 'b'),
        sigmas=np.ones(17, np.float32),
        nested=ConfigDict(x=dict(y=1)),
    )


def train(folder, epochs, resume=False):
    """Trains with what recipes save: AdamW, schedules, metadata."""
    model = Tiny()
    runner = Runner(
        model,
        str(folder),
        train_dataloader=dict(
            dataset=Numbers(torch.ones(4, 2)),
            sampler=dict(type='DefaultSampler'),
            batch_size=2,
        ),
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type='AdamW', lr=0.1)),
        param_scheduler=[
            dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=3),
            dict(type='MultiStepLR', milestones=[8, 11]),
            dict(type='CosineAnnealingLR', T_max=5),
        ],
        default_scope='mmengine',
        experiment_name=f'{folder.name}{epochs}',
        resume=resume,
    )
    runner.message_hub.update_info('best_score', np.float64(0.5))
    runner.train()
    return model, runner


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp('run')
    model, _ = train(folder, 1)
    return folder, model


def test_loads(run):
    folder, model = run
    loaded = Tiny()
    load_checkpoint(loaded, str(folder / 'epoch_1.pth'))
    assert torch.equal(loaded.layer.weight, model.layer.weight)


def test_resumes(run):
    _, runner = train(run[0], 2, resume=True)
    assert runner.iter == 4
    losses = runner.message_hub.get_scalar('train/loss')
    assert len(losses.data[0]) == 4


def test_an_empty_array_loads(tmp_path):
    """Key points without a skeleton have one in what describes them."""
    torch.save(dict(links=np.empty((0, 3))), tmp_path / 'x.pth')
    assert torch.load(tmp_path / 'x.pth')['links'].shape == (0, 3)


def test_loads_what_numpy_1_wrote(run, tmp_path):
    """The same file with the names that numpy's modules had before 2.0."""
    old, new = run[0] / 'epoch_1.pth', tmp_path / 'old.pth'
    with zipfile.ZipFile(old) as source, zipfile.ZipFile(new, 'w') as target:
        for name in source.namelist():
            data = source.read(name)
            if name.endswith('data.pkl'):
                now, other = b'numpy._core.', b'numpy.core.'
                now, other = (now, other) if now in data else (other, now)
                assert now in data
                data = data.replace(b'c' + now, b'c' + other)
            target.writestr(name, data)
    hub = torch.load(new)['message_hub']
    assert hub['runtime_info']['best_score'] == 0.5
    assert isinstance(hub['log_scalars']['train/loss'], HistoryBuffer)


@pytest.mark.parametrize('code', list('?bhilBHILefdgFD'))
def test_numpy_numbers_load(tmp_path, code):
    wanted = np.arange(3).astype(code)
    torch.save([wanted, wanted[1]], tmp_path / 'x.pth')
    array, scalar = torch.load(tmp_path / 'x.pth')
    assert array.dtype == wanted.dtype and (array == wanted).all()
    assert scalar == wanted[1]


class Call:
    """Pickles as a call."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    'harm',
    [
        Call(getattr, HistoryBuffer, '__init__'),
        Call(getattr, HistoryBuffer, '__subclasses__'),
        Call(getattr, np.ndarray, 'min'),
        Call(eval, '1'),
        Call(np.ndarray, (1,), 'O', b'12345678'),
        Call(np.dtype, 'O'),
        np.array([1], object),
        np.zeros(1, [('x', object)]),
    ],
)
def test_code_is_refused(tmp_path, harm):
    torch.save(harm, tmp_path / 'x.pth')
    with pytest.raises(pickle.UnpicklingError, match='Weights only'):
        torch.load(tmp_path / 'x.pth')


@pytest.fixture
def nothing_allowed():
    """Until the end of the test."""
    allowed = torch.serialization.get_safe_globals()
    torch.serialization.clear_safe_globals()
    yield
    torch.serialization.clear_safe_globals()
    torch.serialization.add_safe_globals(allowed)


def test_a_host_that_allows_the_real_ones_still_loads(
    nothing_allowed, tmp_path
):
    """As onedl-mmengine does while it loads."""
    core = np._core if hasattr(np, '_core') else np.core
    host = SimpleNamespace(
        get_torch_safe_globals=lambda: [
            *(slice, getattr, np.ndarray, np.dtype, HistoryBuffer),
            *(core.multiarray._reconstruct, core.multiarray.scalar),
            type(np.dtype('int64')),
        ]
    )
    torch.save([np.arange(3), np.float64(1), slice(2)], tmp_path / 'x.pth')
    safe_checkpoints.apply(host)
    with torch.serialization.safe_globals(host.get_torch_safe_globals()):
        array, number, part = torch.load(tmp_path / 'x.pth')
    assert (array == np.arange(3)).all() and number == 1 and part == slice(2)
    with torch.serialization.safe_globals(host.get_torch_safe_globals()):
        torch.save(Call(getattr, np.ndarray, 'min'), tmp_path / 'x.pth')
        with pytest.raises(pickle.UnpicklingError, match='Weights only'):
            torch.load(tmp_path / 'x.pth')
