"""Small models of every kind, with weights that leave nothing at zero."""

import numpy as np
import torch

from mmuniformer.models import UniFormer, UniFormerLight

from .. import TINY
from ..golden import fill

SIZE = dict(TINY, depths=(1, 1, 4, 1))  # hybrid: the fourth is global
LIGHT = dict(
    TINY,
    depths=(1, 1, 2, 2),
    stems=('conv', 'patch', 'patch', 'patch'),
    mlp_ratio=3,
)
CONV = dict(SIZE, stems=('conv',) * 4)
DENSE = dict(dense=True, out_indices=(0, 1, 2, 3))

VARIANTS = {
    'global': (UniFormer, SIZE, {}),
    'window': (UniFormer, SIZE, dict(attention='window', window_size=3)),
    'hybrid': (UniFormer, SIZE, dict(attention='hybrid', window_size=3)),
    'conv_stem': (UniFormer, CONV, {}),
    'layer_scale': (UniFormer, SIZE, dict(layer_scale_init_value=0.1)),
    'dense': (UniFormer, SIZE, DENSE),
    'video': (UniFormer, SIZE, dict(ndim=3)),
    'video_dense': (UniFormer, SIZE, dict(ndim=3, **DENSE)),
    'light': (UniFormerLight, LIGHT, {}),
    'light_cls': (UniFormerLight, LIGHT, dict(with_cls_token=True)),
    'light_dense': (UniFormerLight, LIGHT, DENSE),
    'light_video': (UniFormerLight, LIGHT, dict(ndim=3)),
    'light_video_scale': (
        UniFormerLight,
        LIGHT,
        dict(ndim=3, layer_scale_init_value=0.1, with_cls_token=True),
    ),
}


def build(variant, **kwargs):
    """A small float64 model, the same at every call."""
    cls, arch, defaults = VARIANTS[variant]
    model = cls(arch, **{**defaults, **kwargs}).double()
    randomize(model)
    return model


def randomize(module):
    """Gives each tensor values that depend on its name and shape alone."""
    for name, value in module.state_dict().items():
        value.copy_(torch.from_numpy(np.asarray(_fill(name, value.shape))))


def _fill(name, shape):
    return fill.tensor(f'tiny.{name}', shape)


def images(model, batch=2, size=64, seed=0, frames=4):
    """Images, or clips of some frames, for a model."""
    generator = torch.Generator().manual_seed(seed)
    time = (frames,) if model.ndim == 3 else ()
    shape = (batch, 3, *time, size, size)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def tensors(outputs):
    """All tensors of nested outputs, in order."""
    if torch.is_tensor(outputs):
        return [outputs]
    return [tensor for out in outputs for tensor in tensors(out)]


def gradients(model, x):
    """Outputs and, by name, the gradients of one fixed random loss."""
    model.zero_grad()
    x = x.clone().requires_grad_()
    outputs = tensors(model(x))
    loss = sum(
        (out * torch.from_numpy(fill.loss_weight('tiny', i, out.shape))).sum()
        for i, out in enumerate(outputs)
    )
    loss.backward()
    found = {n: p.grad for n, p in model.named_parameters()}
    return outputs, dict(found, input=x.grad)
