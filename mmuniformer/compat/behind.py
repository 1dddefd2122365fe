"""Checkpoints are written behind a training where writing is slow.

mmengine writes while the processes wait, and has no other way (torch's
``distributed.checkpoint.async_save`` writes folders of another form). Here
the bytes are made at once, as ever. If the last write has taken a second or
more, they go to the disk in a thread, and what depends on the file
(``last_checkpoint``, the removal of older ones) is done after it, in order.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ._hooks import LOG

SLOW_SECONDS = 1.0


class Behind:
    """Does one thing after another, in a thread if that is slow.

    Attributes:
        seconds: How long the last write has taken.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._may = False
        self._thread: threading.Thread | None = None
        self._waiting: list[Callable[[], object]] = []
        self._lock = threading.Lock()
        self._error: BaseException | None = None

    @contextmanager
    def saving(self) -> Iterator[None]:
        """What is written meanwhile may be written behind."""
        self._may = True
        try:
            yield
        finally:
            self._may = False

    def write(self, function: Callable[[], object]) -> None:
        """Writes now, or behind if the last time was slow.

        Args:
            function: Writes a file. Its error is raised by the next call.
        """
        self.wait()
        if not self._may or self.seconds < SLOW_SECONDS:
            self._timed(function)
            return
        LOG.debug('a checkpoint is written behind the training')
        self._waiting = [lambda: self._timed(function)]
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def after(self, function: Callable[[], object]) -> None:
        """Does something once all before is on the disk; or now."""
        with self._lock:
            if self._thread is not None and self._waiting:
                self._waiting.append(function)
                return
        self.wait()
        function()

    def wait(self) -> None:
        """Waits until all is done.

        Raises:
            OSError: Something was not; what was to be done after it, too.
        """
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self.check()

    def settle(self, seconds: float) -> None:
        """Waits for some time, whatever comes of it."""
        if self._thread is not None:
            self._thread.join(seconds)

    def check(self) -> None:
        """Raises what has gone wrong behind, without waiting."""
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _timed(self, function: Callable[[], object]) -> None:
        begin = time.monotonic()
        function()
        if self._may or self._thread is not None:
            self.seconds = time.monotonic() - begin

    def _work(self) -> None:
        while True:
            try:
                self._waiting[0]()
            except BaseException as error:
                self._error = error
                with self._lock:
                    self._waiting.clear()
                return
            with self._lock:
                self._waiting.pop(0)
                if not self._waiting:
                    return


CHECKPOINTS = Behind()
