"""Raw weights to start from, where a file has averaged ones, too."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import BaseLoop, Runner

from ..registry import HOOKS
from ..weights import files


@HOOKS.register_module()
class StartFromRawHook(Hook):
    """Starts training from the raw weights of another run.

    mmengine keeps the averaged weights as the model and the raw ones beside
    them. The authors' fine-tuning reads the raw ones (``--finetune`` of
    ``token_labeling``). Files with one set of weights, tests and resumed runs
    are as ever.
    """

    # Before LoadReportHook, which fits them to the model.
    priority = 'HIGHEST'

    def after_load_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Puts the raw weights in the place of the averaged ones."""
        # A loop is built when training begins; before, it is a config.
        starts = isinstance(runner._train_loop, BaseLoop)
        if starts and not runner._resume and files.SWAPPED in checkpoint:
            checkpoint['state_dict'] = files.unwrap(checkpoint, raw=True)
            del checkpoint[files.SWAPPED]
            print_log(
                f'{runner._load_from}: raw weights, not averaged',
                logger='current',
            )
