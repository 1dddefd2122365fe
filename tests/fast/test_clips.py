"""Convolutions of one clip by oneDNN."""

import pytest
import torch
from torch.profiler import profile

from mmuniformer.analysis.plain_uniformer import PlainUniFormer
from mmuniformer.fast import clips, products
from mmuniformer.models.layers import Conv3d

from ..models.tiny import build, images

needs_onednn = pytest.mark.skipif(
    not products.has_onednn(), reason='this PyTorch has no oneDNN'
)


def kernels(model, x):
    with torch.no_grad(), profile() as record:
        model(x)
    return {event.key for event in record.key_averages()}


@needs_onednn
@pytest.mark.parametrize(
    'options',
    [
        dict(kernel_size=3, stride=(1, 2, 2), padding=1),
        dict(kernel_size=(1, 2, 2), stride=(1, 2, 2)),
        dict(kernel_size=1, bias=False),
    ],
)
def test_outputs_are_those_of_pytorch(options):
    torch.manual_seed(0)
    conv = Conv3d(6, 4, **options)
    x = torch.randn(1, 6, 4, 8, 10)
    wanted = conv(x)  # with gradients, by PyTorch's choice
    with torch.no_grad():
        assert clips.applies(conv, x)
        torch.testing.assert_close(conv(x), wanted, rtol=1e-5, atol=1e-5)


@needs_onednn
def test_a_clip_takes_no_slow_kernel():
    model = build('light_video').float().eval()
    x = images(model, batch=1).float()
    assert 'aten::slow_conv3d_forward' not in kernels(model, x)
    plain = PlainUniFormer(model)
    assert 'aten::slow_conv3d_forward' in kernels(plain, x)


def test_where_pytorch_chooses():
    conv, x = Conv3d(3, 4, 1), torch.randn(1, 3, 2, 4, 4)
    assert not clips.applies(conv, x)  # gradients are wanted
    with torch.no_grad():
        assert not clips.applies(conv, x.expand(2, -1, -1, -1, -1))
        assert not clips.applies(conv.double(), x.double())
        assert not clips.applies(conv.bfloat16(), x.bfloat16())
        with torch.autocast('cpu', torch.bfloat16):
            assert not clips.applies(conv.float(), x)
