"""Few groups of parameters, where mmengine makes one for each tensor."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.hooks import Hook
from mmengine.logging import MMLogger, print_log
from mmengine.optim import DefaultOptimWrapperConstructor
from mmengine.runner import Runner
from torch import nn
from torch.optim import Optimizer

from ..errors import UserError
from ..registry import HOOKS, OPTIM_WRAPPER_CONSTRUCTORS
from ..weights.load import bare_model

Group = dict[str, Any]
# Notes of mmengine in a group, which no optimizer reads.
NOTES = ('params', 'lr_mult', 'decay_mult')


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class MergedGroups(DefaultOptimWrapperConstructor):
    """mmengine's constructor, with equal groups of parameters merged.

    Rates and decay of every tensor are those of
    ``DefaultOptimWrapperConstructor``, which makes a group for each of them:
    286 for UniFormer-S in place of 2, each with a line in the log and kernels
    of its own in every step.

    Args:
        optim_wrapper_cfg: Config of the wrapper and of its optimizer.
        paramwise_cfg: Rules by name and kind, as mmengine has them.
    """

    def _validate_cfg(self) -> None:
        """Checks the rules.

        Raises:
            UserError: Rules multiply a weight decay that is not there.
        """
        if self.base_wd is None and any(
            key.endswith('decay_mult') for key in self.paramwise_cfg
        ):
            raise UserError(
                'optim_wrapper.paramwise_cfg multiplies weight_decay, which '
                'the optimizer does not have; set '
                'optim_wrapper.optimizer.weight_decay=0, or '
                'paramwise_cfg=None'
            )
        super()._validate_cfg()

    def add_params(
        self,
        params: list[Group],
        module: nn.Module,
        prefix: str = '',
        is_dcn_module: Any = None,
    ) -> None:
        """Adds the groups of a model, or of a part of it, to ``params``."""
        for name in ('lr', 'weight_decay'):
            value = self.optimizer_cfg.get(name, 0.0)
            if not isinstance(value, (int, float)):
                raise UserError(
                    f'optim_wrapper.optimizer.{name}={value!r}: wanted a '
                    f'number'
                )
        if prefix:  # mmengine's recursion
            super().add_params(params, module, prefix, is_dcn_module)
            return
        singles: list[Group] = []
        with _few_words():
            super().add_params(singles, module)
        self.adjust(singles, module)
        params += merge(singles, self.base_lr, self.base_wd)
        lines = [
            f'{len(g["params"])} tensors: lr={g.get("lr", self.base_lr):.3g} '
            f'weight_decay={g.get("weight_decay", self.base_wd)}'
            for g in params
        ]
        frozen = sum(not p.requires_grad for p in module.parameters())
        lines += [f'{frozen} tensors: frozen'] if frozen else []
        print_log(f'optimizer: {"; ".join(lines)}', logger='current')

    def adjust(self, singles: list[Group], model: nn.Module) -> None:
        """Changes the groups of single tensors before they are merged."""


def merge(
    singles: list[Group], lr: float | None, weight_decay: float | None
) -> list[Group]:
    """Puts tensors with equal settings into one group.

    Args:
        singles: Groups of one tensor.
        lr: Rate of a group that has none of its own.
        weight_decay: Decay of a group that has none of its own.

    Returns:
        Groups in the order of their first tensors, tensors in their order.
    """
    merged: dict[Any, Group] = {}
    for single in singles:
        settings: Group = dict(lr=lr, weight_decay=weight_decay)
        settings.update((k, v) for k, v in single.items() if k not in NOTES)
        key = tuple(sorted(settings.items()))
        if key in merged:
            merged[key]['params'] += single['params']
        else:
            merged[key] = dict(single, params=list(single['params']))
    return list(merged.values())


@contextmanager
def _few_words() -> Iterator[None]:
    """Keeps mmengine's line for each tensor out of the log."""

    def about_one_tensor(record: logging.LogRecord) -> bool:
        text = record.getMessage()
        return not (
            text.startswith('paramwise_options -- ')
            or text.endswith('requires_grad=False')
        )

    logger = MMLogger.get_current_instance()
    logger.addFilter(about_one_tensor)
    try:
        yield
    finally:
        logger.removeFilter(about_one_tensor)


@HOOKS.register_module()
class MergedGroupsHook(Hook):
    """Lets runs go on that were saved with a group for each tensor."""

    def after_load_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Merges the groups of optimizer and schedulers in a checkpoint.

        Raises:
            UserError: The groups of the file do not fit those of the run.
        """
        optimizer = getattr(runner.optim_wrapper, 'optimizer', None)
        saved = checkpoint.get('optimizer')
        if not runner._resume or not isinstance(optimizer, Optimizer):
            return
        if saved and 'param_groups' in saved:
            places = merge_saved(saved, optimizer, bare_model(runner.model))
            if places:
                for state in checkpoint.get('param_schedulers') or ():
                    merge_scheduler(state, places)


def merge_saved(
    saved: dict[str, Any], optimizer: Optimizer, model: nn.Module
) -> list[int]:
    """Gives the state of an optimizer the groups of another, in place.

    Args:
        saved: ``state_dict`` of an optimizer with a group for each tensor, in
            the order of the model; others stay as they are.
        optimizer: The optimizer that is to go on, with larger groups.
        model: The model of both.

    Returns:
        For each group, which one of the file's it takes its settings from;
        none where nothing had to be done.

    Raises:
        UserError: Tensors of a group have different settings in the file.
    """
    groups = saved['param_groups']
    if len(groups) == len(optimizer.param_groups):
        return []
    order = {id(p): i for i, p in enumerate(trained(model))}
    places = [
        [order[id(p)] for p in group['params']]
        for group in optimizer.param_groups
    ]
    if len(groups) != len(order) or len(order) != sum(map(len, places)):
        return []  # not ours: torch says what does not fit
    keys = [group['params'][0] for group in groups]
    merged: list[Group] = []
    state: dict[int, Any] = {}
    count = 0
    for members in places:
        settings = [
            {k: v for k, v in groups[i].items() if k not in NOTES}
            for i in members
        ]
        if any(other != settings[0] for other in settings):
            raise UserError(
                'optimizer: tensors that are one group now have different '
                'settings in the checkpoint; wanted those of the config that '
                'it was saved with'
            )
        numbers = list(range(count, count + len(members)))
        count += len(members)
        merged.append(dict(settings[0], params=numbers))
        state.update(
            (new, saved['state'][keys[old]])
            for new, old in zip(numbers, members)
            if keys[old] in saved['state']
        )
    saved.update(param_groups=merged, state=state)
    return [members[0] for members in places]


def trained(model: nn.Module) -> list[nn.Parameter]:
    """The parameters of a model that have a group, in mmengine's order."""
    return [p for p in model.parameters() if p.requires_grad]


def merge_scheduler(state: Any, places: list[int]) -> None:
    """Leaves a scheduler's state one value for each group, in place."""
    states = state.values() if 'base_values' not in state else [state]
    for one in states:
        for name in ('base_values', '_last_value'):
            one[name] = [one[name][i] for i in places]
