"""Gradients whose strides are those of their weights."""

from functools import partial

from torch import Tensor, nn


def keep_strides(model: nn.Module) -> None:
    """Gives gradients the strides of their weights, without a copy.

    A gradient of a channels-last convolution has other strides where a side
    is 1, so that they mean nothing: DistributedDataParallel warns of them all
    the same, and it copies more slowly.

    Args:
        model: Its weights get a hook.
    """
    for parameter in model.parameters():
        if parameter.requires_grad and parameter.ndim > 2:
            parameter.register_hook(partial(restride, parameter.stride()))


def restride(strides: tuple[int, ...], grad: Tensor) -> Tensor:
    """A gradient with strides that name the same places, or as it is."""
    pairs = zip(grad.shape, grad.stride(), strides)
    if grad.stride() == strides or any(
        own != wanted for side, own, wanted in pairs if side != 1
    ):
        return grad
    return grad.as_strided(grad.shape, strides)
