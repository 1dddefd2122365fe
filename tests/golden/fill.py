"""Deterministic weights and inputs, a function of names and shapes alone.

NumPy's legacy RandomState stream is frozen, so the same numbers come out on
every platform and version. Everything is float64.
"""

import zlib

import numpy as np


def _rng(name):
    return np.random.RandomState(zlib.crc32(name.encode()) & 0x7FFFFFFF)


def tensor(name, shape):
    """The value of the parameter or buffer called ``name``."""
    shape = tuple(shape)
    leaf = name.rsplit('.', 1)[-1]
    if leaf == 'num_batches_tracked':
        return np.zeros(shape, dtype=np.int64)
    a = _rng(name).standard_normal(shape)
    if leaf == 'running_var':
        return 1 + 0.2 * np.abs(a)
    if leaf == 'running_mean':
        return 0.1 * a
    if leaf.startswith('gamma_'):
        return 0.5 + 0.1 * a
    if leaf == 'cls_token':
        return 0.5 * a
    if leaf == 'bias':
        return 0.05 * a
    if len(shape) == 1:  # norm weights
        return 1 + 0.1 * a
    fan_in = int(np.prod(shape[1:]))
    return 0.5 * a / np.sqrt(fan_in)


def model_input(case, shape):
    return _rng('input:' + case).standard_normal(tuple(shape))


def loss_weight(case, index, shape):
    """Fixed random cotangent for output number ``index``."""
    return _rng(f'cotangent:{case}:{index}').standard_normal(tuple(shape))


def sample_positions(numel, count=48):
    """Flat positions at which a tensor is recorded."""
    return np.unique(
        np.linspace(0, numel - 1, min(count, numel)).astype(np.int64)
    )
