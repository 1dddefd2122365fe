"""mmengine's Runner, resumed exactly or not at all."""

import copy
import logging
import os
from functools import partial
from pathlib import Path
from typing import Any, cast

from mmengine.dist import broadcast_object_list, get_rank, get_world_size
from mmengine.hooks import CheckpointHook, EMAHook
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader

from ..compat import whole_files
from ..errors import LocalUserError, UserError
from ..weights import files
from ..weights.load import bare_model
from . import agreement, gradients, loops, machine, places, resume, schedules
from .bad_data import BadData
from .finite import infinite_buffers
from .stop import StopHook, StoppedInValidation
from .workers import prepare_worker

warn = partial(print_log, logger='current', level=logging.WARNING)


class SafeRunner(Runner):
    """A Runner whose interrupted runs end as uninterrupted ones do.

    It draws random numbers by place, see :mod:`.places`, goes on from any
    batch of an epoch, and refuses to go on from what is not whole.
    """

    _load_from: str | None
    _schedule_cfg: Any
    param_schedulers: Any
    _resume: bool
    _trains = False
    saved_iteration: int | None = None

    def build_dataloader(  # type: ignore[override]
        self, dataloader: Any, *args: Any, **kwargs: Any
    ) -> DataLoader:
        """As of the base class; workers leave signals to this process."""
        loader = super().build_dataloader(dataloader, *args, **kwargs)
        if loader.num_workers:
            loader.worker_init_fn = partial(_start, loader.worker_init_fn)
        if self._trains:
            shift = get_rank() if self._differs_by_rank else 0
            bad_data = BadData(**self.cfg.get('bad_data', {}))
            places.place_loader(
                loader, self.seed - shift, get_rank(), bad_data
            )
        return loader

    def build_train_loop(self, loop: Any) -> Any:
        """As of the base class, of our own kind."""
        self._trains = True
        try:
            built = super().build_train_loop(loop)
        finally:
            self._trains = False
        own = isinstance(built.dataloader, places.PlacedLoader)
        if own and type(built) in loops.OWN:
            built.__class__ = loops.OWN[type(built)]
        return built

    def wrap_model(self, model_wrapper_cfg: Any, model: Any) -> Any:
        """As of the base class; gradients are as their weights."""
        wrapped = super().wrap_model(model_wrapper_cfg, model)
        if isinstance(wrapped, DistributedDataParallel):
            gradients.keep_strides(wrapped)
        return wrapped

    @property
    def _differs_by_rank(self) -> bool:
        return bool(self._randomness_cfg.get('diff_rank_seed'))

    def load_or_resume(self) -> None:
        """Loads the checkpoint to start from, or finds that to go on from.

        Raises:
            UserError: There are checkpoints, and none that is whole.
        """
        if self._resume and self._load_from is None and not self._has_loaded:
            path = self._find()
            if path is None:
                self._resume = False
            else:
                self._load_from = str(path)
        elif not self._resume and self._train_loop_is_built:
            self._warn_of_earlier_run()
        super().load_or_resume()

    @property
    def _train_loop_is_built(self) -> bool:
        return not isinstance(self._train_loop, (dict, type(None)))

    def _checkpoint_hook(self) -> CheckpointHook | None:
        hooks = [x for x in self.hooks if isinstance(x, CheckpointHook)]
        return hooks[0] if hooks else None

    def _folders(self) -> list[str]:
        """Where this run's checkpoints are."""
        hook = self._checkpoint_hook()
        folders = [self.work_dir]
        if hook and hook.out_dir and hook.out_dir != self.work_dir:
            name = os.path.basename(self.work_dir.rstrip(os.sep))
            folders.append(os.path.join(hook.out_dir, name))
        return folders

    def _warn_of_earlier_run(self) -> None:
        old = [
            path.name
            for folder in self._folders()
            for template in resume.TEMPLATES
            for path in resume._numbered([folder], template)
        ]
        if old:
            warn(
                f'work_dir={self.work_dir!r} has checkpoints of an earlier '
                f'run ({files.brief(old)}), which this one writes over; '
                f'--resume auto would go on from them'
            )

    def _find(self) -> Path | None:
        """The newest checkpoint, the same file on all processes."""
        result: list[Any] = [None]
        if get_rank() == 0:
            result = [self._find_here()]
        broadcast_object_list(result)
        if isinstance(result[0], str):
            raise UserError(result[0])
        found = resume.Found(*result[0])
        if found.path is None:
            print_log(
                f'--resume auto: no checkpoint in {self.work_dir!r}; '
                f'training starts anew',
                logger='current',
            )
            return None
        # Each looks in its own work dir, which may be on another disk.
        path = Path(self.work_dir) / found.path
        agreement.same_file(path)
        if found.skipped:
            warn(
                f'--resume auto: going on from {found.path.name}; skipped: '
                f'{"; ".join(found.skipped)}'
            )
        return path

    def _find_here(self) -> Any:
        """What ``resume.newest`` finds, or its error as text."""
        hook = self._checkpoint_hook()
        for folder in self._folders():
            whole_files.remove_parts(folder)
        try:
            found = resume.newest(
                self._folders(),
                (hook.filename_tmpl,) if hook else (),
                self._has_ema,
                self._has_schedules,
                infinite_buffers(self.model),
            )
        except UserError as error:
            return str(error)
        if found.path and str(found.path.parent) == self.work_dir:
            return found._replace(path=Path(found.path.name))
        return found

    @property
    def _has_ema(self) -> bool:
        return any(isinstance(hook, EMAHook) for hook in self.hooks)

    @property
    def _has_schedules(self) -> bool:
        return bool(self.param_schedulers)

    def resume(self, filename: str, *args: Any, **kwargs: Any) -> None:
        """Goes on from a checkpoint.

        Raises:
            UserError: It is not whole.
        """
        agreement.same_file(Path(filename))
        optimizer = cast(Any, self.optim_wrapper)
        own = [dict(group) for group in optimizer.param_groups]
        fresh = schedules.states(self.param_schedulers)
        checkpoint = self._read(filename)
        kept = checkpoint.get('optimizer') or {}
        try:
            super().resume(filename, *args, **kwargs)
        except UserError:
            raise
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            reason = ' '.join(str(error).split())[:200]
            raise LocalUserError(
                f'checkpoint={filename!r}: does not fit this config: '
                f'{type(error).__name__}: {reason}'
            ) from error
        self._take_note(checkpoint)
        self._take_seed()
        saved = checkpoint.get('param_schedulers')
        changed = schedules.changes(fresh, saved)
        self._take_schedules(changed, checkpoint)
        other = schedules.other_options(own, kept.get('param_groups'))
        if other:
            warn(
                f'the optimizer goes on with the options of the checkpoint: '
                f'{files.brief(other, 6)}'
            )

    def _read(self, filename: str) -> Any:
        """The file, if it can be resumed."""
        try:
            checkpoint = files.read(filename)
            ignore = infinite_buffers(self.model)
            resume.check(checkpoint, False, self._has_schedules, ignore)
        except UserError as error:
            reason = resume.shorten(str(error), Path(filename))
            raise LocalUserError(
                f'checkpoint={filename!r}: {reason}'
            ) from error
        if 'ema_state_dict' in checkpoint and not self._has_ema:
            warn(
                f'checkpoint={filename!r} has averaged weights, and the '
                f'config has no EMAHook: training goes on from the average'
            )
        return checkpoint

    def _take_note(self, checkpoint: Any) -> None:
        """Takes the place in the epoch; says what is not as it was."""
        note = resume.read_note(checkpoint)
        loop = cast(Any, self.train_loop)
        length = len(loop.dataloader)
        for name, now in self._circumstances().items():
            before = note.get(name, now)
            if before != now:
                warn(
                    f'{name}: {before} when the checkpoint was saved, {now} '
                    f'now; the run goes on, but not as it would have done, '
                    f'and its learning rate was set for the former'
                )
        if not isinstance(loop, loops.EpochLoop):
            loop.validate_first = True
            return
        old = note.get('epoch_length', length)
        done = note.get('done', 0)
        if not all(type(x) is int and x >= 0 for x in (old, done)):
            raise LocalUserError(
                f'meta.{resume.NOTE}={note!r}: wanted whole numbers'
            )
        if old and old != length:
            done = min(round(done * length / old), length)
            loop._iter = loop._epoch * length + done
        loop.done = done
        loop.epoch_start = loop._iter - done
        loop.validate_first = not done

    def _circumstances(self) -> dict[str, int]:
        """What a run was set up for."""
        loader = cast(Any, self.train_loop).dataloader
        return dict(
            processes=get_world_size(),
            batch_size=getattr(loader.batch_sampler, 'batch_size', 0) or 0,
            training_samples=_length(loader.dataset),
        )

    def _take_seed(self) -> None:
        """Has samplers take the seed of the checkpoint, too."""
        batches = cast(Any, self.train_loop).dataloader.batch_sampler
        if isinstance(batches, places.PlacedBatches):
            shift = get_rank() if self._differs_by_rank else 0
            old, batches.seed = batches.seed, self.seed - shift
            sampler = getattr(batches, 'sampler', None)
            if getattr(sampler, 'seed', None) == old != batches.seed:
                cast(Any, sampler).seed = batches.seed

    def _take_schedules(self, changed: list[str], checkpoint: Any) -> None:
        """Keeps the schedules of the config where they are others.

        mmengine takes those of the checkpoint whole, so that a run that was
        given more epochs would go on with the end of the shorter one.
        """
        hub = checkpoint['message_hub']
        info = hub.get('runtime_info') or {}
        loop = cast(Any, self.train_loop)
        by_epoch = isinstance(loop, loops.EpochLoop)
        limit = 'max_epochs' if by_epoch else 'max_iters'
        now = loop.max_epochs if by_epoch else loop.max_iters
        longer = info.get(limit, now) != now
        optimizer = cast(Any, self.optim_wrapper)
        if changed:
            for group in optimizer.param_groups:
                group['lr'] = group.get('initial_lr', group['lr'])
            own = self.build_param_scheduler(self._schedule_cfg)
            self.param_schedulers = own
            length = len(loop.dataloader) if by_epoch else 0
            schedules.replay(cast(list, own), optimizer, length, loop._iter)
            warn(
                f'the schedule of the learning rate is that of the config, '
                f'not of the checkpoint ({files.brief(changed)}); the rate '
                f'is now {schedules.rates(optimizer)}'
            )
        elif longer and self._has_schedules:
            warn(
                f'{limit}: {info[limit]} before, {now} now, but the schedule '
                f'of the learning rate (param_scheduler) is as it was: it '
                f'ends where it did; the rate is now '
                f'{schedules.rates(optimizer)}'
            )

    def train(self) -> Any:
        """Trains.

        Raises:
            signals.Stopped: It was asked to end, and a checkpoint is saved.
        """
        self._schedule_cfg = copy.deepcopy(self.param_schedulers)
        try:
            return super().train()
        except StoppedInValidation:
            for hook in self.hooks:
                if isinstance(hook, EMAHook):
                    hook._swap_ema_parameters()  # back, as at its end
            for hook in self.hooks:
                if isinstance(hook, StopHook) and get_rank() == 0:
                    hook.save(self, self.epoch, self.iter, alone=True)
            raise

    def save_checkpoint(
        self,
        *args: Any,
        save_optimizer: bool = True,
        meta: dict | None = None,
        **kwargs: Any,
    ) -> None:
        """As of the base class; remembers of which iteration it was."""
        kwargs.update(save_optimizer=save_optimizer, meta=meta)
        super().save_checkpoint(*args, **kwargs)
        if save_optimizer and meta:
            self.saved_iteration = meta['iter']

    def call_hook(self, fn_name: str, **kwargs: Any) -> None:
        """As of the base class; notes the place in what is saved."""
        if fn_name == 'before_save_checkpoint':
            self._note(kwargs['checkpoint'])
        elif fn_name == 'before_train':
            model = bare_model(self.model)
            agreement.same_weights(model, self._load_from or 'initialization')
            loader = cast(Any, self.train_loop).dataloader
            if get_rank() == 0:
                machine.check_space(self)
            machine.check_shared_memory(loader.num_workers)
            agreement.same(
                'the number of batches',
                len(loader),
                'wanted the same data on all nodes',
            )
        super().call_hook(fn_name, **kwargs)

    def _note(self, checkpoint: Any) -> None:
        loop = cast(Any, self.train_loop)
        note: dict[str, Any] = self._circumstances()
        if isinstance(loop, loops.EpochLoop):
            meta = checkpoint['meta']
            here = meta['epoch'] == loop._epoch
            note['done'] = here * (meta['iter'] - loop.epoch_start)
            note['epoch_length'] = len(loop.dataloader)
        resume.write_note(checkpoint, note)


def _start(start: Any, worker: int) -> None:
    if start is not None:
        start(worker)
    prepare_worker()


def _length(dataset: Any) -> int:
    return len(dataset) if hasattr(dataset, '__len__') else 0
