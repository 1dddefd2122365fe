"""mmengine's Runner, resumed exactly or not at all."""

import copy
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from mmengine.dist import get_rank
from mmengine.hooks import EMAHook
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader

from ..compat.behind import CHECKPOINTS
from ..errors import LocalUserError, UserError
from ..weights import files
from ..weights.load import bare_model
from . import (
    agreement,
    finding,
    going_on,
    gradients,
    loops,
    machine,
    places,
    schedules,
    signals,
)
from .bad_data import BadData
from .heap import give_back
from .patience import make_patient
from .stop import StopHook, StoppedInValidation

# What comes of a checkpoint that is of another config, or of no training.
FAULTS = (
    LookupError, TypeError, ValueError, AttributeError, AssertionError,
    RecursionError,
)  # fmt: skip


class SafeRunner(Runner):
    """A Runner whose interrupted runs end as uninterrupted ones do.

    It draws random numbers by place, see :mod:`.places`, goes on from any
    batch of an epoch, and refuses to go on from what is not whole.
    """

    _load_from: str | None
    _schedule_cfg: Any
    param_schedulers: Any
    _resume: bool
    # Whose loaders are being built.
    _builds = 'test'
    saved_iteration: int | None = None

    def build_dataloader(  # type: ignore[override]
        self, dataloader: Any, *args: Any, **kwargs: Any
    ) -> DataLoader:
        """As of the base class; workers that do not answer are named."""
        name = f'{self._builds}_dataloader'
        trains = self._builds == 'train'
        if isinstance(dataloader, dict):
            dataloader = machine.fit_loader(dataloader, name)
        loader = super().build_dataloader(dataloader, *args, **kwargs)
        if type(loader) is DataLoader or trains:
            make_patient(loader, name)
        if trains:
            bad_data = BadData(**self.cfg.get('bad_data', {}))
            seed = cast(int, self.seed) - going_on.rank_shift(self)
            places.place_loader(loader, seed, get_rank(), bad_data)
        return loader

    def build_train_loop(self, loop: Any) -> Any:
        """As of the base class, of our own kind."""
        with self._building('train'):
            built = super().build_train_loop(loop)
        own = isinstance(built.dataloader, places.PlacedLoader)
        if own and type(built) in loops.OWN:
            built.__class__ = loops.OWN[type(built)]
        return built

    def build_val_loop(self, loop: Any) -> Any:
        """As of the base class; nodes need no folder in common."""
        with self._building('val'):
            built = super().build_val_loop(loop)
        agreement.collect_results(getattr(built, 'evaluator', None))
        return built

    def build_test_loop(self, loop: Any) -> Any:
        """As of the base class; nodes need no folder in common."""
        built = super().build_test_loop(loop)
        agreement.collect_results(getattr(built, 'evaluator', None))
        return built

    @contextmanager
    def _building(self, split: str) -> Iterator[None]:
        self._builds, before = split, self._builds
        try:
            yield
        finally:
            self._builds = before

    def wrap_model(self, model_wrapper_cfg: Any, model: Any) -> Any:
        """As of the base class; gradients are as their weights."""
        wrapped = super().wrap_model(model_wrapper_cfg, model)
        if isinstance(wrapped, DistributedDataParallel):
            gradients.keep_strides(wrapped)
        return wrapped

    def load_or_resume(self) -> None:
        """Loads the checkpoint to start from, or finds that to go on from.

        Raises:
            UserError: There are checkpoints, and none that is whole.
        """
        if self._resume and self._load_from is None and not self._has_loaded:
            path = finding.find(self)
            if path is None:
                self._resume = False
            else:
                self._load_from = str(path)
        elif not self._resume and self._train_loop_is_built:
            finding.warn_of_earlier_run(self)
        super().load_or_resume()

    @property
    def _train_loop_is_built(self) -> bool:
        return not isinstance(self._train_loop, (dict, type(None)))

    def resume(self, filename: str, *args: Any, **kwargs: Any) -> None:
        """Goes on from a checkpoint.

        Raises:
            UserError: It is not whole.
        """
        agreement.same_file(Path(filename))
        optimizer = cast(Any, self.optim_wrapper)
        own = [dict(group) for group in optimizer.param_groups]
        fresh = schedules.states(self.param_schedulers)
        checkpoint = going_on.read(self, filename)
        try:
            super().resume(filename, *args, **kwargs)
        except UserError:
            raise
        except FAULTS as error:
            reason = ' '.join(str(error).split())[:200]
            raise LocalUserError(
                f'checkpoint={filename!r}: does not fit this config: '
                f'{type(error).__name__}: {reason}'
            ) from error
        going_on.check_optimizer(filename, optimizer)
        kept = [dict(group) for group in optimizer.param_groups]
        with files.named(filename):
            going_on.take_place(self, checkpoint)
        going_on.take_seed(self, going_on.rank_shift(self))
        changed = schedules.changes(fresh, checkpoint.get('param_schedulers'))
        going_on.take_schedules(self, self._schedule_cfg, changed, checkpoint)
        other = schedules.other_options(own, kept)
        if other:
            print_log(
                f'the optimizer goes on with the options of the checkpoint: '
                f'{files.brief(other, 6)}',
                logger='current',
                level=logging.WARNING,
            )

    def train(self) -> Any:
        """Trains.

        Raises:
            signals.Stopped: It was asked to end, and a checkpoint is saved.
        """
        self._schedule_cfg = copy.deepcopy(self.param_schedulers)
        try:
            trained = super().train()
        except StoppedInValidation:
            for hook in self.hooks:
                if isinstance(hook, EMAHook):
                    hook._swap_ema_parameters()  # back, as at its end
            for hook in self.hooks:
                if isinstance(hook, StopHook) and get_rank() == 0:
                    hook.save(self, self.epoch, self.iter)
            CHECKPOINTS.wait()
            raise
        finally:
            signals.ignore()  # whoever called goes on
        CHECKPOINTS.wait()
        return trained

    def save_checkpoint(
        self,
        *args: Any,
        save_optimizer: bool = True,
        meta: dict | None = None,
        **kwargs: Any,
    ) -> None:
        """As of the base class; remembers of which iteration it was."""
        kwargs.update(save_optimizer=save_optimizer, meta=meta)
        with CHECKPOINTS.saving():
            super().save_checkpoint(*args, **kwargs)
        if save_optimizer and meta:
            self.saved_iteration = meta['iter']

    def call_hook(self, fn_name: str, **kwargs: Any) -> None:
        """As of the base class; notes the place in what is saved."""
        if fn_name == 'before_save_checkpoint':
            going_on.note(self, kwargs['checkpoint'])
        elif fn_name == 'before_train':
            self._check_start()
        elif fn_name == 'after_train_iter':
            CHECKPOINTS.check()
        elif fn_name == 'after_train':
            CHECKPOINTS.wait()
        super().call_hook(fn_name, **kwargs)

    def _check_start(self) -> None:
        """Checks what all processes must agree on, and the machine."""
        model = bare_model(self.model)
        agreement.same_weights(model, self._load_from or 'initialization')
        loader = cast(Any, self.train_loop).dataloader
        if get_rank() == 0:
            machine.check_space(self)
        machine.check_shared_memory(loader.num_workers)
        give_back()  # what building the data sets left
        prepare: Any = getattr(model, 'data_preprocessor', None)
        if loader.pin_memory and hasattr(prepare, '_non_blocking'):
            prepare._non_blocking = True  # the copies overlap with work
        agreement.same(
            'the number of batches',
            len(loader),
            'wanted the same data on all nodes',
        )
