"""When a block leaves its work to ``fast``, and when it does it itself."""

import pytest
import torch

from mmuniformer.fast import inference
from mmuniformer.models.blocks import ConvBlock
from mmuniformer.models.tokens import to_channels_last


def block_and_map(dtype=torch.float32):
    block = ConvBlock(8, 2, 4, 0.0, 0.0).to(dtype).eval()
    return block, to_channels_last(torch.randn(2, 8, 6, 6).to(dtype))


def test_a_plain_block_is_left_to_it():
    block, x = block_and_map()
    with torch.no_grad():
        assert inference.applies(block, x)


def test_autocast_is_not():
    block, x = block_and_map()
    with torch.no_grad(), torch.autocast('cpu', torch.bfloat16):
        assert not inference.applies(block, x)


def test_half_precision_is_not():
    block, x = block_and_map(torch.float16)
    with torch.no_grad():
        assert not inference.applies(block, x)


@pytest.mark.parametrize('name', ['conv2', 'mlp.fc1', 'mlp.fc2'])
def test_a_block_of_two_dtypes_is_not(name):
    block, x = block_and_map()
    block.get_submodule(name).double()
    with torch.no_grad():
        assert not inference.applies(block, x)


def test_gradients_are_not():
    block, x = block_and_map()
    assert not inference.applies(block, x)


def test_a_replaced_position_embedding_is_not():
    """What is added in place must not be the block's input."""
    block, x = block_and_map()
    block.pos_embed = torch.nn.Identity()
    before = x.clone()
    with torch.no_grad():
        block(x)
    assert torch.equal(x, before)
