"""The forward pass on a GPU that is not there: devices, dtypes, layouts."""

import pytest
import torch
import torch.nn.functional as F
from torch._subclasses import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from . import tiny

if not torch.backends.cuda.is_built():
    pytest.skip('of PyTorch with CUDA', allow_module_level=True)


class Copies(TorchDispatchMode):
    """Counts copies that change the layout alone, and looks at devices."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if isinstance(out, torch.Tensor):
            assert out.device.type == 'cuda', func
            self.count += func.__name__.startswith('clone')
        return out


def flash(query, key, value):
    """What the fused kernels return: heads side by side, in half."""
    if torch.is_autocast_enabled('cuda'):
        query = query.to(torch.get_autocast_dtype('cuda'))
    b, k, n, c = query.shape
    return query.new_empty(b, n, k, c).transpose(1, 2)


def set_autocast(dtype):
    """As ``torch.autocast``, which declines where there is no GPU."""
    torch.set_autocast_enabled('cuda', dtype is not None)
    torch.set_autocast_dtype('cuda', dtype or torch.float16)


@pytest.mark.parametrize(
    ('dtype', 'training'), [(torch.float16, True), (torch.bfloat16, False)]
)
@pytest.mark.parametrize('variant', tiny.VARIANTS)
def test_maps_stay_channels_last_on_a_gpu(
    monkeypatch, variant, dtype, training
):
    cls, arch, options = tiny.VARIANTS[variant]
    with torch.device('meta'):
        model = cls(arch, **options).train(training)
    shape = tiny.images(model).shape
    monkeypatch.setattr(F, 'scaled_dot_product_attention', flash)
    set_autocast(dtype)
    try:
        with FakeTensorMode(allow_non_fake_inputs=True):
            model.to_empty(device='cuda')
            x = torch.empty(shape, device='cuda')
            with Copies() as copies, torch.set_grad_enabled(training):
                outs = tiny.tensors(model(x))
    finally:
        set_autocast(None)
    # The input is copied once; into windows and back, once each.
    windows = sum(bool(getattr(b, 'window_size', 0)) for b in model.blocks3)
    assert copies.count <= 1 + 3 * windows
    # What all branches are added to stays in single precision.
    assert all(out.dtype == torch.float32 for out in outs)
