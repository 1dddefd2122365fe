"""Steps that are not finite leave no trace in weights and statistics."""

import logging
from typing import Any

import torch
from mmengine.dist import all_gather_object
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from ..errors import UserError
from ..registry import HOOKS
from ..weights import files
from ..weights.load import bare_model
from . import places, resume
from .bad_data import file_of
from .guard import Guard, GuardedStep

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
