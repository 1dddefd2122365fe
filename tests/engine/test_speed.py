"""Fusion and compilation around a run."""

from importlib.util import find_spec

import pytest
import torch
from mmengine.config import Config

from mmuniformer.engine import speed
from mmuniformer.engine.speed import SpeedHook, add_speed
from mmuniformer.errors import UserError

from ..models.tiny import build


class Runner:
    """All that the hook looks at."""

    def __init__(self, model):
        self.model = torch.nn.ModuleDict({'backbone': model})


def config():
    return Config(dict(default_hooks=dict(ema=dict(type='EMAHook'))))


def test_fuses_before_the_test():
    model = build('global')
    SpeedHook(fuse=True).before_test_epoch(Runner(model))
    assert model.fused


def test_compiles_for_the_test(monkeypatch):
    """A block: each operation more is a file more for the compiler."""
    inductor = pytest.importorskip('torch._inductor.config')
    monkeypatch.setattr(inductor.cpp, 'simdlen', 1)  # shorter headers
    monkeypatch.setattr(inductor, 'compile_threads', 1)
    if find_spec('torch._inductor.cpu_vec_isa'):  # no compiler tries for it
        from torch._inductor import cpu_vec_isa

        monkeypatch.setattr(cpu_vec_isa, 'valid_vec_isa_list', list)
    model = build('global').float().blocks4.eval()
    x = torch.randn(2, 32, 2, 2)
    with torch.no_grad():
        wanted = model(x)
        SpeedHook(compile=True).before_test_epoch(Runner(model))
        torch.testing.assert_close(model(x), wanted)
    assert torch._dynamo.utils.counters['stats']['unique_graphs']


def test_compiles_what_is_fused(monkeypatch):
    seen = []
    monkeypatch.setattr(speed, 'compile_for_inference', seen.append)
    model = build('global').eval()
    SpeedHook(fuse=True, compile=True).before_test_epoch(Runner(model))
    assert seen == [model] and model.fused


def test_compiles_for_training():
    model = build('global')
    SpeedHook(compile=True).before_train(Runner(model))
    assert model._compiled_call_impl is not None
    assert not model.fused


@pytest.mark.parametrize(
    ('device', 'variable', 'wanted'),
    [('cpu', 'CXX', r'a C\+\+ compiler'), ('cuda', 'CC', 'a C compiler')],
)
def test_says_that_there_is_no_compiler(monkeypatch, device, variable, wanted):
    monkeypatch.setenv('PATH', '/nowhere')
    monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(speed, 'get_device', lambda: device)
    with pytest.raises(UserError, match=f'{wanted}; wanted one of'):
        SpeedHook(compile=True)


def test_a_gpu_wants_no_compiler_of_cpp(monkeypatch, tmp_path):
    compiler = tmp_path / 'gcc'
    compiler.touch(0o755)
    (tmp_path / 'Python.h').touch()
    monkeypatch.setenv('PATH', str(tmp_path))
    monkeypatch.setattr(speed.sysconfig, 'get_path', lambda *_: str(tmp_path))
    monkeypatch.setattr(speed.importlib.util, 'find_spec', lambda _: True)
    speed.check_compiler('cuda')
    (tmp_path / 'Python.h').unlink()
    with pytest.raises(UserError, match=r'no .*Python\.h; .*python3-dev'):
        speed.check_compiler('cuda:1')


def test_headers_are_not_where_debian_installs(monkeypatch):
    ask = speed.sysconfig
    monkeypatch.setattr(ask, 'get_path', lambda *args: args)
    monkeypatch.setattr(ask, 'get_default_scheme', lambda: 'posix_local')
    assert speed.python_headers() == ('include', 'posix_prefix')
    monkeypatch.setattr(ask, 'get_default_scheme', lambda: 'venv')
    assert speed.python_headers() == ('include', 'venv')


def test_a_gpu_wants_triton(monkeypatch):
    monkeypatch.setattr(speed.shutil, 'which', lambda name: name)
    monkeypatch.setattr(speed.importlib.util, 'find_spec', lambda _: None)
    with pytest.raises(UserError, match='wanted pip install triton'):
        speed.check_compiler('cuda')


def test_nothing_to_do_adds_no_hook():
    cfg = config()
    add_speed(cfg)
    assert list(cfg.default_hooks) == ['ema'] and 'custom_hooks' not in cfg


def test_fusion_leaves_no_hook_that_exchanges_weights():
    cfg = config()
    cfg.custom_hooks = [dict(type='EMAHook'), dict(type='IterTimerHook')]
    add_speed(cfg, fuse=True)
    assert 'ema' not in cfg.default_hooks
    assert [hook.type for hook in cfg.custom_hooks] == ['IterTimerHook']
    assert cfg.default_hooks.speed.fuse
