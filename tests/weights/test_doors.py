"""Weights that mmengine's own functions load: the same verdict, one line."""

import subprocess
import sys

import pytest
import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner, load_checkpoint
from mmengine.runner.checkpoint import (
    _load_checkpoint,
    _load_checkpoint_to_model,
)
from torch import nn

from mmuniformer.errors import UserError
from mmuniformer.models import UniFormer
from mmuniformer.weights import files, load

from .. import ROOT, TINY
from ..weight_server import serving
from .weight_files import published


@pytest.fixture
def log(monkeypatch):
    """What the procedure says, whoever logs it."""
    lines = []
    monkeypatch.setattr(load, 'print_log', lambda x, **_: lines.append(x))
    return lambda: '\n'.join(lines)


class Classifier(BaseModel):
    """A host's model with the names of mmpretrain."""

    def __init__(self, classes=10, init_cfg=None, **kwargs):
        super().__init__(init_cfg=init_cfg)
        self.backbone = UniFormer(TINY, **kwargs)
        self.head = nn.ModuleDict({'fc': nn.Linear(32, classes)})

    def forward(self, inputs, data_samples=None, mode='tensor'):
        return self.head.fc(self.backbone(inputs)[0].mean((2, 3)))


def whole(model, path):
    """As hosts' ``init_model``."""
    return load_checkpoint(model, str(path), map_location='cpu')


def in_two_steps(model, path):
    """As hosts' inferencers."""
    content = _load_checkpoint(str(path), map_location='cpu')
    return _load_checkpoint_to_model(model, content)


def by_runner(model, path):
    """As hosts' own tools/test.py, with a config that lacks our hook."""
    run = Runner(
        model,
        work_dir=str(path.parent),
        experiment_name=f'{path.parent.name}{path.stem}',
        default_scope='mmengine',
    )
    return run.load_checkpoint(str(path))


DOORS = [whole, in_two_steps, by_runner]


@pytest.mark.parametrize('door', DOORS)
@pytest.mark.parametrize('wrapper', ['model', 'state_dict', ''])
def test_a_file_of_the_authors_arrives(tmp_path, log, capfd, door, wrapper):
    path, source = published(tmp_path, wrapper)
    model = Classifier()
    door(model, path)
    state = files.unwrap(files.read(path))
    assert torch.equal(model.head.fc.weight, state['head.weight'])
    assert all(
        torch.equal(value, source.state_dict()[name])
        for name, value in model.backbone.state_dict().items()
    )
    assert log().count('tiny_in1k.pth: loaded') == 1
    assert 'do not match exactly' not in capfd.readouterr().out


@pytest.mark.parametrize('door', DOORS)
def test_formats_that_mmengine_does_not_read(tmp_path, door):
    path, _ = published(tmp_path)
    state = files.unwrap(files.read(path))
    files.write(tmp_path / 'w.safetensors', state)
    model = Classifier()
    door(model, tmp_path / 'w.safetensors')
    assert torch.equal(model.head.fc.weight, state['head.weight'])


def foreign(path):
    torch.save({'state_dict': {'conv1.weight': torch.ones(3)}}, path)


def empty(path):
    torch.save({'state_dict': {}}, path)


def headless(path):
    torch.save({'state_dict': UniFormer(TINY).state_dict()}, path)


def other_classes(path):
    torch.save({'state_dict': Classifier(7).state_dict()}, path)


def other_head_dim(path):
    note = {'head_dim': 4}
    files.write(path, Classifier().state_dict(), note=note)


def page(path):
    path.write_text('<!DOCTYPE html><title>404</title>')


def not_finite(path):
    state = Classifier().state_dict()
    state['backbone.norm.weight'][3] = float('nan')
    torch.save({'state_dict': state}, path)


@pytest.mark.parametrize('door', DOORS)
@pytest.mark.parametrize(
    'make, wanted',
    [
        (foreign, 'only 0 of'),
        (empty, 'no tensors'),
        (headless, r'missing: head\.fc\.weight'),
        (other_classes, 'class count'),
        (other_head_dim, 'build it with head_dim=4'),
        (page, 'is an HTML page'),
        (not_finite, r'backbone\.norm\.weight has 1 of 32 values not finite'),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, door, make, wanted):
    path = tmp_path / 'w.pth'
    make(path)
    with pytest.raises(UserError, match=rf'w\.pth.*{wanted}'):
        door(Classifier(), path)


def test_an_init_cfg_of_the_whole_model_may_leave_the_head(tmp_path, log):
    headless(tmp_path / 'w.pth')
    init = dict(type='Pretrained', checkpoint=str(tmp_path / 'w.pth'))
    model = Classifier(init_cfg=init)
    model.init_weights()
    assert 'new: head.fc.weight, head.fc.bias' in log()


def test_a_bare_backbone_gets_a_time_axis(tmp_path, log):
    path, _ = published(tmp_path)
    whole(UniFormer(TINY, ndim=3), path)
    assert 'inflated: 19 (average)' in log()


def test_a_url_is_not_mixed_up_with_another(tmp_path, monkeypatch):
    """The cache of mmengine has one file for both."""
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'home'))
    found = []
    with serving() as server:
        for seed in (1, 2):
            torch.manual_seed(seed)
            torch.save(Classifier().state_dict(), tmp_path / 'w.pth')
            content = (tmp_path / 'w.pth').read_bytes()
            url = server.url(f'{seed}/epoch_100.pth', content)
            model = Classifier()
            load_checkpoint(model, url, map_location='cpu')
            wanted = torch.load(tmp_path / 'w.pth')['head.fc.weight']
            found.append(torch.equal(model.head.fc.weight, wanted))
    assert found == [True, True]


def test_models_without_a_uniformer_are_loaded_as_ever(tmp_path, capsys):
    path = tmp_path / 'w.pth'
    model, other = nn.Linear(2, 2), nn.Linear(2, 2)
    torch.save({'weight': other.weight, 'strange': torch.ones(1)}, path)
    whole(model, path)
    assert torch.equal(model.weight, other.weight)
    said = capsys.readouterr().out
    assert 'missing keys in source state_dict: bias' in said
    with pytest.raises(RuntimeError, match='unexpected key'):
        load_checkpoint(model, str(path), strict=True)
    with pytest.raises(FileNotFoundError):
        whole(model, tmp_path / 'nowhere.pth')


BEFORE = """
import sys
from mmengine.runner import load_checkpoint
from mmengine.infer.infer import BaseInferencer
assert 'mmuniformer' not in sys.modules
from mmuniformer import UniFormer
model = UniFormer({arch!r})
load_checkpoint(model, {path!r}, map_location='cpu')
print(float(model.norm.bias.sum()))
"""


def test_hosts_that_were_imported_before(tmp_path):
    path = tmp_path / 'w.pth'
    state = UniFormer(TINY).state_dict()
    state['norm.bias'].fill_(2)
    torch.save({'model': state}, path)
    done = subprocess.run(
        [sys.executable, '-c', BEFORE.format(arch=TINY, path=str(path))],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.stdout.endswith('64.0\n'), done.stderr


def evil(folder):
    return f'import os\nos.mkdir({str(folder)!r})\nmodel = dict()'


def test_resuming_runs_no_config_of_the_file(tmp_path):
    trace, path = tmp_path / 'trace', tmp_path / 'w.pth'
    meta = dict(epoch=1, iter=1, config=evil(trace), cfg=evil(trace))
    content = dict(state_dict=Classifier().state_dict(), meta=meta)
    torch.save(content, path)
    found = by_runner(Classifier(), path)
    assert 'config' not in found['meta'] and 'cfg' not in found['meta']


@pytest.mark.parametrize(
    'text, plain',
    [
        ("a = dict(b=[1, -2.5], c={'d': None})\ne = 'f'", True),
        ('a = __import__("os").getcwd()', False),
        ('import os', False),
        ('a = [x for x in ()]', False),
        ('_base_ = "/tmp/other.py"', False),
        ('a = open', False),
        ('(' * 10**4, False),
        (3, False),
    ],
)
def test_configs_that_are_more_than_values_are_dropped(tmp_path, text, plain):
    """The inferencers of mmengine evaluate them."""
    state = {'weight': torch.ones(2, 2)}
    hub = dict(runtime_info=dict(cfg=text))
    torch.save(dict(state_dict=state, message_hub=hub), tmp_path / 'w.pth')
    content = _load_checkpoint(str(tmp_path / 'w.pth'))
    assert ('cfg' in content['message_hub']['runtime_info']) is plain
