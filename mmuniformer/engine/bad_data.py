"""One policy for samples that cannot be read, in all tasks."""

import logging
import multiprocessing
from collections.abc import Callable
from typing import Any

import numpy as np
from mmengine.dist import get_rank
from mmengine.logging import print_log

from ..errors import DamagedError, LocalUserError, UserError
from . import first_batch

POLICIES = ('replace', 'stop')
FILE_KEYS = ('img_path', 'filename', 'frame_dir', 'img_id')
# So many in a row are no damaged file but a mistake.
IN_A_ROW = 4


class BadData:
    """What a training does with a sample that cannot be had.

    A test always stops: its result would be of other data.

    Args:
        policy: 'replace' names the file and takes another sample; 'stop'
            ends the run with its name.
        limit: So many samples of a process may be replaced.

    Raises:
        UserError: There is no such policy, or a negative limit.
    """

    def __init__(self, policy: str = 'replace', limit: int = 100) -> None:
        if policy not in POLICIES:
            raise UserError(
                f'bad_data.policy={policy!r}: wanted one of {POLICIES}'
            )
        if not isinstance(limit, int) or limit < 0:
            raise UserError(
                f'bad_data.limit={limit!r}: wanted a number of samples'
            )
        self.limit = limit if policy == 'replace' else 0
        self.replaced = multiprocessing.Value('i', 0)
        self.named: set[str] = set()

    def ask(self, dataset: Any, ask: Callable[[int], Any], index: int) -> Any:
        """A sample, or another one if it cannot be had.

        Args:
            dataset: Where it comes from.
            ask: Gives the sample of an index.
            index: Of the sample.

        Raises:
            LocalUserError: It cannot be read, and no other is to take its
                place.
        """
        first: Exception | None = None
        last = ''
        for _ in range(IN_A_ROW):
            try:
                return ask(index)
            except Exception as error:
                if not replaceable(error) or not self.limit:
                    raise
                first = first or error
                last = name_of(dataset, index, error)
                self.count(last)
            # The numbers of this place, so that a resumed run does the same.
            index = int(np.random.randint(len(dataset)))
        if isinstance(first, DamagedError):
            raise LocalUserError(
                f'{IN_A_ROW} samples in a row cannot be read; the last: {last}'
            ) from first
        assert first is not None
        reason = first_batch.reason_of(
            first, first_batch.places_of(first)[1:], str(first)
        )
        if reason is None:
            raise first
        raise LocalUserError(
            f'{IN_A_ROW} samples in a row cannot be used; the first: {reason}'
        ) from first

    def count(self, name: str) -> None:
        """Names a sample that is replaced.

        Raises:
            LocalUserError: There were too many.
        """
        with self.replaced.get_lock():
            self.replaced.value += 1
            total = self.replaced.value
        if total > self.limit:
            raise LocalUserError(
                f'{name}; more than bad_data.limit={self.limit} samples '
                f'cannot be read'
            )
        if name not in self.named:
            self.named.add(name)
            # mmengine shows warnings of the first process only.
            level = logging.ERROR if get_rank() else logging.WARNING
            message = (
                f'{name}; another sample takes its place ({total} of at most '
                f'{self.limit})'
            )
            print_log(message, logger='current', level=level)


def replaceable(error: Exception) -> bool:
    """Whether an error is one of a sample, not of the config or the code."""
    if isinstance(error, DamagedError):
        return True
    mistakes = UserError, ImportError, NameError, NotImplementedError
    return not isinstance(error, (*mistakes, MemoryError))


def name_of(dataset: Any, index: int, error: Exception) -> str:
    """The file of a sample and what is wrong with it, in one line."""
    if isinstance(error, DamagedError):
        return str(error)
    reason = ' '.join(str(error).split())[:200] or 'no reason given'
    name = file_of(dataset, index)
    return f'{name} cannot be used: {type(error).__name__}: {reason}'


def file_of(dataset: Any, index: int) -> str:
    """The file of a sample, or its number."""
    try:
        info = dataset.get_data_info(int(index))
        return next(f'{k}={info[k]!r}' for k in FILE_KEYS if k in info)
    except Exception:
        return f'sample {int(index)}'
