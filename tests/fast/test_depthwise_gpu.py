"""Kernels for GPUs, by Triton's interpreter: the code, not the compiler."""

import json
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest
import torch

from mmuniformer.errors import UserError
from mmuniformer.fast import depthwise_gpu
from mmuniformer.models.layers import LAYERS

ROOT = Path(__file__).resolve().parents[2]
CASES = (
    'one pixel', 'few channels', 'more channels than a program has',
    'a large kernel',
)  # fmt: skip


@pytest.fixture(scope='module')
def found():
    pytest.importorskip('triton')
    done = subprocess.run(
        [sys.executable, '-m', 'tests.fast.interpreted'],
        env=dict(os.environ, TRITON_INTERPRET='1'), cwd=ROOT,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize('name', CASES)
def test_outputs_and_gradients_are_those_of_torch(found, name):
    for dtype, error in found['errors'][name].values():
        assert dtype == 'float32' and error < 1e-6


def test_forward_and_backward_pass_are_the_kernels(found):
    assert found['calls'] == ['_forward', '_gradients']


def test_half_precision_rounds_what_comes_in_and_out_alone(found):
    dtypes, errors = zip(*found['half'].values())
    assert dtypes == ('bfloat16', 'bfloat16', 'float32', 'float32')
    assert max(errors) < 2**-6


def test_gradients_of_gradients_are_those_of_torch(found):
    assert found['second'] < 1e-5


def test_frozen_weights_get_no_gradient(found):
    assert found['frozen'] == [True, False]


def test_compiled_layers_have_the_kernels_in_one_graph(found):
    assert found['compiled']['calls'] == ['_forward', '_gradients']
    for dtype, error in found['compiled']['errors'].values():
        assert dtype == 'float32' and error < 1e-6


def test_outputs_lie_as_compilers_are_told(found):
    assert found['strides'] == [True] * 4


def on_gpu(shape):
    """What a layer looks at of a map on a GPU."""
    size = torch.Size((2, 8, *shape))
    return types.SimpleNamespace(
        ndim=len(size), dtype=torch.bfloat16, shape=size,
        numel=lambda: size.numel(), device=torch.device('cuda', 0),
    )  # fmt: skip


@pytest.mark.parametrize(
    ('shape', 'ready', 'wanted'),
    [
        ((2, 4, 4), True, True),
        ((4, 4), True, False),
        ((2, 4, 4), False, False),
    ],
)
def test_clips_are_computed_where_the_kernels_work(
    monkeypatch, shape, ready, wanted
):
    monkeypatch.setattr(depthwise_gpu, 'is_eager', lambda x: True)
    monkeypatch.setattr(depthwise_gpu, 'is_ready', lambda index: ready)
    layer = LAYERS[len(shape)].depthwise(8, 5)
    assert depthwise_gpu.applies(layer, on_gpu(shape)) is wanted


def test_a_wish_turns_the_kernels_off(monkeypatch):
    monkeypatch.setattr(depthwise_gpu, 'kernels', lambda index: depthwise_gpu)
    monkeypatch.setenv('MMUNIFORMER_TRITON', 'off')
    assert not depthwise_gpu.is_ready(0)
    monkeypatch.setenv('MMUNIFORMER_TRITON', 'on')
    assert depthwise_gpu.is_ready(0)


def test_another_wish_is_refused(monkeypatch):
    monkeypatch.setenv('MMUNIFORMER_TRITON', 'maybe')
    with pytest.raises(UserError, match="MMUNIFORMER_TRITON='maybe'"):
        depthwise_gpu.is_ready(0)


@pytest.mark.skipif(torch.cuda.is_available(), reason='of machines without')
def test_a_gpu_that_does_not_run_them_is_said(caplog):
    pytest.importorskip('triton')
    assert depthwise_gpu.kernels.__wrapped__(0) is None
    assert 'Triton does not work' in caplog.text
