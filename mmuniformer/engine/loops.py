"""mmengine's loops of training, able to begin anywhere."""

from collections.abc import Iterator
from typing import Any

from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop

from .places import PlacedBatches, seed_all


class EpochLoop(EpochBasedTrainLoop):
    """Epochs, of which the first one may have begun before a resume.

    Attributes:
        done: Batches of this epoch that were done before.
        epoch_start: Iteration at which this epoch began.
        validate_first: Validate before training goes on.
    """

    done = 0
    epoch_start = 0
    validate_first = False

    def run(self) -> Any:
        """Launches training."""
        self.runner.call_hook('before_train')
        if self.validate_first:
            self.validate()
        while self._epoch < self._max_epochs and not self.stop_training:
            self.run_epoch()
            self._decide_current_val_interval()
            self.validate()
        self.runner.call_hook('after_train')
        return self.runner.model

    def validate(self) -> None:
        """Validates, if it is time for it."""
        if (
            self.runner.val_loop is not None
            and not self.done
            and self._epoch >= self.val_begin
            and (
                self._epoch % self.val_interval == 0
                or self._epoch == self._max_epochs
            )
        ):
            self.runner.val_loop.run()

    def run_epoch(self) -> None:
        """Trains an epoch, or what is left of it."""
        done, self.done = self.done, 0
        self.epoch_start = self._iter - done
        if isinstance(self.dataloader.batch_sampler, PlacedBatches):
            self.dataloader.batch_sampler.go_to(self._epoch, done)
        seed_all(self.runner.seed, 0, self._epoch)
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        for index, batch in enumerate(self.dataloader, done):
            self.run_iter(index, batch)
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1
        self.epoch_start = self._iter

    def run_iter(self, idx: int, data_batch: Any) -> None:
        """Trains a step with the random numbers of its iteration."""
        seed_all(self.runner.seed, 1, self._iter)
        super().run_iter(idx, data_batch)


class IterLoop(IterBasedTrainLoop):
    """Iterations, of which the first ones may be done.

    Attributes:
        validate_first: Validate before training goes on.
    """

    validate_first = False

    def run(self) -> Any:
        """Launches training."""
        self.runner.call_hook('before_train')
        seed_all(self.runner.seed, 0, 0)
        self.runner.call_hook('before_train_epoch')
        if self.validate_first:
            self.validate()
        self.dataloader_iterator = self.batches()
        while self._iter < self._max_iters and not self.stop_training:
            self.runner.model.train()
            self.run_iter(next(self.dataloader_iterator))
            self._decide_current_val_interval()
            self.validate()
        self.runner.call_hook('after_train_epoch')
        self.runner.call_hook('after_train')
        return self.runner.model

    def validate(self) -> None:
        """Validates, if it is time for it."""
        if (
            self.runner.val_loop is not None
            and self._iter >= self.val_begin
            and (
                self._iter % self.val_interval == 0
                or self._iter == self._max_iters
            )
        ):
            self.runner.val_loop.run()

    def batches(self) -> Iterator[Any]:
        """All batches from this iteration on, over and over if they end."""
        sampler = self.dataloader.batch_sampler
        placed = isinstance(sampler, PlacedBatches)
        epoch, done = 0, self._iter
        if not is_infinite(sampler):
            epoch, done = divmod(done, max(len(self.dataloader), 1))
        while True:
            if placed:
                sampler.go_to(epoch, done)
            set_epoch(sampler, epoch)
            for number, batch in enumerate(self.dataloader):
                if placed or number >= done:
                    yield batch
            epoch, done = epoch + 1, 0

    def run_iter(self, data_batch: Any) -> None:
        """Trains a step with the random numbers of its iteration."""
        seed_all(self.runner.seed, 1, self._iter)
        super().run_iter(data_batch)


OWN = {EpochBasedTrainLoop: EpochLoop, IterBasedTrainLoop: IterLoop}


def is_infinite(batches: Any) -> bool:
    """Whether a batch sampler goes on for ever, as mmengine's can."""
    sampler = getattr(batches, 'sampler', None)
    return hasattr(sampler, '_infinite_indices') or not hasattr(
        sampler, '__len__'
    )


def set_epoch(batches: Any, epoch: int) -> None:
    """Has what samples a loader shuffle for an epoch."""
    for sampler in (batches, getattr(batches, 'sampler', None)):
        set_it = getattr(sampler, 'set_epoch', None)
        if set_it is not None:
            set_it(epoch)
            return
