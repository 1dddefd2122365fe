"""Keeps what is not finite out of weights and statistics."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase


class Guard:
    """What a step may not touch when it is not finite.

    Args:
        model: Without wrappers.

    Attributes:
        skipped: The last step was not done.
        own: It was this process that had something not finite.
        scales: Mixed precision can still try a smaller scale.
    """

    def __init__(self, model: nn.Module) -> None:
        norms = [m for m in model.modules() if isinstance(m, _NormBase)]
        self.buffers = [b for m in norms for b in m.buffers(recurse=False)]
        self.floats = [b for b in self.buffers if b.is_floating_point()]
        self.kept = [b.clone() for b in self.buffers]
        self.flag: Tensor | None = None
        self.skipped = False
        self.scales = False
        self.own = False

    def poison(self, loss: Tensor) -> Tensor:
        """The loss, or NaN if it or a statistic is not finite."""
        flag = loss.detach().float()
        if self.floats:
            norms = torch._foreach_norm(self.floats)
            flag = flag + torch.stack(norms).sum()
        # Of micro-batches that are summed one is enough.
        flag = flag * 0
        self.flag = flag if self.flag is None else self.flag + flag
        return loss * (1 + flag).to(loss.dtype)

    def keep(self) -> None:
        """Takes the statistics after a good step."""
        self.flag = None
        copy(self.kept, self.buffers)

    def restore(self) -> None:
        """Gives back the statistics of the last good step."""
        self.skipped = True
        self.own = self.flag is not None and not bool(self.flag.isfinite())
        self.flag = None
        self.give_back()

    def give_back(self) -> None:
        """Gives back the statistics alone."""
        copy(self.buffers, self.kept)


class GuardedStep:
    """Mixed into the optimizer's wrapper: steps if the gradient is finite."""

    guard: Guard
    norm: Tensor | None = None

    def backward(self: Any, loss: Tensor, **kwargs: Any) -> None:
        """As of the wrapper."""
        super().backward(self.guard.poison(loss), **kwargs)  # type: ignore

    def step(self: Any, **kwargs: Any) -> None:
        """As of the wrapper, if the gradient is finite."""
        self._global_step = getattr(self, '_global_step', -1) + 1
        scaler = getattr(self, 'loss_scaler', None)
        if scaler is not None:
            finite = self.scaled_step(scaler, **kwargs)
        else:
            self.norm = None
            if self.clip_grad_kwargs:
                self._clip_grad()
            norm = self.norm
            finite = bool((total(self) if norm is None else norm).isfinite())
            if finite:
                self.optimizer.step(**kwargs)
        if finite:
            self.guard.keep()
        else:
            self.guard.restore()

    step._with_counter = True  # type: ignore[attr-defined]

    def scaled_step(self: Any, scaler: Any, **kwargs: Any) -> bool:
        """A step in mixed precision; whether it was done."""
        if self.clip_grad_kwargs:
            scaler.unscale_(self.optimizer)
            self._clip_grad()
        scaler.step(self.optimizer, **kwargs)
        found = scaler._found_inf_per_device(self.optimizer).values()
        finite = not any(bool(one) for one in found)
        scaler.update(self._scale_update_param)
        self.guard.scales = scaler.get_scale() > 1
        return finite

    def _clip_grad(self: Any) -> None:
        """As of the wrapper; keeps the norm."""
        clip = self.clip_func

        def clip_and_keep(*args: Any, **kwargs: Any) -> Any:
            norm = clip(*args, **kwargs)
            self.norm = norm
            return norm

        self.clip_func = clip_and_keep
        try:
            super()._clip_grad()  # type: ignore[misc]
        finally:
            self.clip_func = clip


def total(wrapper: Any) -> Tensor:
    """A number that is finite if all gradients of an optimizer are."""
    groups = wrapper.optimizer.param_groups
    grads = [p.grad for g in groups for p in g['params'] if p.grad is not None]
    if not grads:
        return torch.zeros(())
    return torch.stack(torch._foreach_norm(grads)).sum()


@torch.no_grad()
def copy(into: list[Tensor], values: list[Tensor]) -> None:
    """Copies many small tensors."""
    if not into:
        return
    if hasattr(torch, '_foreach_copy_'):
        torch._foreach_copy_(into, values)
    else:  # PyTorch 2.1
        for one, value in zip(into, values, strict=True):
            one.copy_(value)
