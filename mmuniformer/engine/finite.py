"""Steps that are not finite leave no trace in weights and statistics."""

import logging
from typing import Any

import torch
from mmengine.dist import all_gather_object
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from ..errors import UserError
from ..registry import HOOKS
from ..weights import files
from ..weights.load import bare_model
from . import places, resume
from .bad_data import file_of

POLICIES = ('skip', 'stop')
# Mixed precision searches its scale by steps that are not finite.
IN_A_ROW = 60
NAMED = 3


@HOOKS.register_module()
class FiniteHook(Hook):
    """Skips a step whose loss, gradient or statistics are not finite.

    A NaN or a huge number in a batch would else be in every weight after one
    step, and in the statistics of BatchNorm without any sign. The loss is
    multiplied by NaN where something in the forward pass was not finite, so
    that the gradient carries the news to all processes: they skip the same
    step without a word. The line in the log names the iteration, the files of
    the batch and the first module that was not finite.

    Args:
        policy: 'skip' the step, or 'stop' the training.
        limit: So many steps may be skipped; and 60 in a row.
    """

    priority = 'ABOVE_NORMAL'  # before averages take the weights

    def __init__(self, policy: str = 'skip', limit: int = 100) -> None:
        if policy not in POLICIES:
            raise UserError(
                f'FiniteHook.policy={policy!r}: wanted one of {POLICIES}'
            )
        if not isinstance(limit, int) or limit < 0:
            raise UserError(
                f'FiniteHook.limit={limit!r}: wanted a number of steps'
            )
        self.limit = limit if policy == 'skip' else 0
        self.skipped = 0
        self.in_a_row = 0
        self.guard: Guard | None = None

    def before_train(self, runner: Runner) -> None:
        """Puts the guard into the optimizer's wrapper.

        Raises:
            UserError: The weights to start from are not finite.
        """
        model = bare_model(runner.model)
        strange = [
            name
            for name, value in model.named_parameters()
            if not resume.all_finite(value)
        ]
        if strange:
            raise UserError(
                f'{len(strange)} weights are not finite before the first '
                f'step: {files.brief(strange)}'
            )
        self.guard = Guard(model)
        wrapper: Any = runner.optim_wrapper
        if hasattr(wrapper, 'optimizer'):
            kind = type(wrapper)
            wrapper.__class__ = type(kind.__name__, (GuardedStep, kind), {})
            wrapper.guard = self.guard
            # mmengine's schedules put a step that counts before that of the
            # class; ours counts.
            vars(wrapper).pop('step', None)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Any = None,
    ) -> None:
        """Says which step was skipped, and why.

        Raises:
            UserError: There were too many.
        """
        guard = self.guard
        if guard is None or not guard.skipped:
            self.in_a_row = 0
            return
        guard.skipped = False
        self.in_a_row += 1
        own = any(all_gather_object(guard.own))
        if guard.scales and not own and self.in_a_row < IN_A_ROW:
            return  # how mixed precision finds its scale
        self.skipped += 1
        where = ''
        if own and self.skipped <= NAMED:
            # On all processes, as layers may talk to each other.
            module = first_not_finite(runner, guard, data_batch)
            names = files.brief(batch_files(runner, batch_idx), 8)
            where = f'first in {module}; the batch: {names}' * guard.own
        every = [x for x in all_gather_object(where) if x]
        where = ' | '.join(every) or 'see above' if own else 'the gradient'
        message = f'iteration {runner.iter + 1} is not finite: {where}'
        if self.skipped > self.limit or self.in_a_row >= IN_A_ROW:
            raise UserError(
                f'{message}. {self.skipped} steps were not finite, at most '
                f'{self.limit} may be skipped and {IN_A_ROW} in a row '
                f'(default_hooks.finite); the checkpoints are finite, '
                f'--resume auto goes on from the last one'
            )
        print_log(
            f'{message}. The step is skipped, {self.skipped} of at most '
            f'{self.limit}',
            logger='current',
            level=logging.WARNING,
        )

    def before_save_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Saves nothing that is not finite.

        Raises:
            UserError: Weights are not finite.
        """
        strange = resume.not_finite(checkpoint, infinite_buffers(runner.model))
        if strange:
            raise UserError(
                f'iteration {runner.iter + 1}: nothing is saved, for these '
                f'are not finite: {strange}; the last checkpoint is'
            )


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
        if self.buffers:
            with torch.no_grad():
                torch._foreach_copy_(self.kept, self.buffers)

    def restore(self) -> None:
        """Gives back the statistics of the last good step."""
        self.skipped = True
        self.own = self.flag is not None and not bool(self.flag.isfinite())
        self.flag = None
        self.give_back()

    def give_back(self) -> None:
        """Gives back the statistics alone."""
        with torch.no_grad():
            for buffer, kept in zip(self.buffers, self.kept, strict=True):
                buffer.copy_(kept)


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


def infinite_buffers(model: nn.Module) -> set[str]:
    """Names of what is no weight and may hold infinities, as masks do."""
    model = bare_model(model)
    norms = {
        f'{prefix}.{name}' if prefix else name
        for prefix, module in model.named_modules()
        if isinstance(module, _NormBase)
        for name, _ in module.named_buffers(recurse=False)
    }
    return {name for name, _ in model.named_buffers()} - norms


def batch_files(runner: Runner, batch_idx: int) -> list[str]:
    """Files of the samples of a batch."""
    loader: Any = runner.train_dataloader
    batches = loader.batch_sampler
    if not isinstance(batches, places.PlacedBatches):
        return []
    indices = batches.recent.get(batch_idx, [])
    return [file_of(loader.dataset, index) for index in indices]


@torch.no_grad()
def first_not_finite(runner: Runner, guard: Guard, data_batch: Any) -> str:
    """The first module whose output is not finite, by doing it again.

    Args:
        runner: Of the training.
        guard: Gives back the statistics, which this changes again.
        data_batch: What the loader gave.
    """
    model: Any = bare_model(runner.model)
    found: list[str] = []
    handles = []

    def watch(name: str) -> Any:
        def hook(_: nn.Module, __: Any, output: Any) -> None:
            if not found and has_strange(output):
                found.append(f'{name or "the model"}')

        return hook

    try:
        places.seed_all(runner.seed or 0, 1, runner.iter)
        data = model.data_preprocessor(data_batch, True)
        inputs = data.get('inputs') if isinstance(data, dict) else data
        if has_strange(inputs):
            return 'the pictures themselves'
        for name, module in model.named_modules():
            handles.append(module.register_forward_hook(watch(name)))
        losses = model._run_forward(data, mode='loss')
        if not found:
            found += [f'loss {k}' for k, v in losses.items() if has_strange(v)]
    except Exception as error:
        reason = ' '.join(str(error).split())[:120]
        found.append(f'what cannot be done again ({reason})')
    finally:
        for handle in handles:
            handle.remove()
        guard.give_back()
    return found[0] if found else 'the statistics of BatchNorm or the loss'


def has_strange(value: Any) -> bool:
    """Whether a tensor in nested containers is not finite."""
    return any(
        one.is_floating_point() and not resume.all_finite(one)
        for _, one in resume.tensors(value, '')
    )
