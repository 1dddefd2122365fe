"""Says what of a whole model's weight file was loaded, or refuses it."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from .. import checkpoint as files
from ..errors import UserError
from ..registry import HOOKS

MIN_COVERAGE = 0.99


@HOOKS.register_module()
class LoadReportHook(Hook):
    """Checks a file against the model before its weights are taken.

    mmengine loads what fits and warns about the rest. This hook also knows
    the wrappers of the authors' files, and refuses a file of another size or,
    for testing and resuming, a file that lacks a part of the model.
    """

    def after_load_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Unwraps ``checkpoint`` in place and compares it with the model.

        Raises:
            UserError: A shape differs, or too little of the model is in it.
        """
        model = runner.model
        model = model.module if is_model_wrapper(model) else model
        state = files.unwrap(checkpoint)
        match = files.compare(model, state)
        if match.mismatched:
            raise UserError(
                f'checkpoint: {len(match.mismatched)} tensors differ in '
                f'shape, so it is of another model or class count: '
                f'{files.brief(match.mismatched)}'
            )
        total = len(match.matched) + len(match.missing)
        # A run that starts from other weights may bring a part of the model.
        starts = runner._train_loop is not None and not runner._resume
        wanted = 1 if starts else MIN_COVERAGE * total
        if len(match.matched) < wanted:
            raise UserError(
                f'checkpoint: only {len(match.matched)} of {total} tensors of '
                f'the model are in it; missing: {files.brief(match.missing)}; '
                f'the file has: {files.brief(state)}'
            )
        checkpoint['state_dict'] = state
        print_log(
            f'checkpoint: loaded {len(match.matched)} of {total} tensors of '
            f'{type(model).__name__}; new: {files.brief(match.missing)}; '
            f'left out: {files.brief(match.unexpected)}',
            logger='current',
        )
