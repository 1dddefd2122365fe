"""Files that are still arriving, and what is known of their beginning.

A part of a file goes on where it was left, by this process or by another one
that was interrupted, if the server says that the file is still the same, or
if the sum of the whole is known.
"""

import fcntl
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import IO


class Part:
    """A file under another name, until it is whole.

    Who holds the lock of the common name goes on with what is there; others,
    which take over from a process that stands still, begin anew under a name
    of their own.

    Args:
        path: Where the whole file goes.
        known: Whether its sum is known, so that the parts of two addresses
            may be one file.

    Attributes:
        mixed: Whether it has parts of two addresses.
    """

    def __init__(self, path: Path, known: bool) -> None:
        self.path = path.with_name(f'.{path.name}.part')
        self.known, self.mixed = known, False
        self._file: IO[bytes] | None = None
        self._target = path

    @property
    def file(self) -> IO[bytes]:
        """The open file; there is none before it is asked for."""
        if self._file is None:
            self._file = self._open()
        return self._file

    def _open(self) -> IO[bytes]:
        file = open(self.path, 'ab')
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.stat(self.path).st_ino != os.fstat(file.fileno()).st_ino:
                raise OSError('it arrived meanwhile')
        except OSError:
            file.close()
            own = f'{os.uname().nodename}.{os.getpid()}'
            name = f'.{self._target.name}.{own}.part'
            self.path = self._target.with_name(name)
            file = open(self.path, 'wb')
        return file

    @property
    def note(self) -> Path:
        """Where it is written down from where the part is."""
        return self.path.with_suffix('.part.json')

    @property
    def size(self) -> int:
        """Bytes that are there."""
        if self._file is None and not self.path.exists():
            return 0
        return os.fstat(self.file.fileno()).st_size

    def asked_for(self, url: str) -> dict[str, str]:
        """The headers that ask for the rest of the file, if it can be had."""
        if not self.size:
            return {}
        note = self._read()
        validator = note.get('validator')
        headers = {'Range': f'bytes={self.size}-'}
        if note.get('url') == url and validator:
            return {**headers, 'If-Range': validator}
        return headers if self.known else {}

    def begin(self, url: str, answer) -> None:  # type: ignore[no-untyped-def]
        """Makes ready for the body of an answer.

        Raises:
            ConnectionError: It is another piece of the file than asked for.
        """
        if answer.status == 206:
            place = answer.headers.get('Content-Range', '')
            if not place.startswith(f'bytes {self.size}-'):
                self.empty()
                raise ConnectionError(f'the server sent {place!r}')
            self.mixed |= self._read().get('url') != url
            return
        self.empty()
        tag = answer.headers.get('ETag', '')
        tag = '' if tag.startswith('W/') else tag
        validator = tag or answer.headers.get('Last-Modified', '')
        note = dict(url=url, validator=validator)
        self.note.write_text(json.dumps(note))

    def empty(self) -> None:
        """Forgets what is there."""
        self.file.truncate(0)
        self.mixed = False

    def close(self) -> None:
        """Keeps a part that can be gone on with, and removes all others."""
        if self._file is None:
            return
        with suppress(OSError):
            useful = self.known or self._read().get('validator')
            if self.path.is_file() and not (self.size and useful):
                self.path.unlink()
            if not self.path.is_file():
                self.note.unlink()
        self._file.close()

    def _read(self) -> dict[str, str]:
        try:
            note = json.loads(self.note.read_text())
        except (OSError, ValueError):
            return {}
        return note if isinstance(note, dict) else {}
