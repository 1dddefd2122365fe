"""Files of features: one per input that grows by rows, and one of all."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UserError
from .sources import Source


class Rows:
    """A ``.npy`` file that grows by rows, and is there when it is whole.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # What a killed process has left of it is written over.
        self.part = path.with_suffix('.part')
        self.file: Any = None
        self.shape: tuple[int, ...] = ()
        self.count = 0

    def add(self, row: np.ndarray) -> None:
        """Writes a row behind the others, which have its shape."""
        row = np.asarray(row, np.float32)
        if self.file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.file = open(self.part, 'wb')
            self.shape = row.shape
            self.header((0, *row.shape))
        self.file.write(row.tobytes())
        self.count += 1

    def header(self, shape: tuple[int, ...]) -> None:
        """Writes the header; it is as long for any number of rows."""
        about = dict(descr='<f4', fortran_order=False, shape=shape)
        np.lib.format.write_array_header_1_0(self.file, about)

    def close(self, several: bool) -> None:
        """Ends the file, if there is a row.

        Args:
            several: Whether one row has an axis for rows, too.
        """
        if self.file is None:
            return
        self.file.seek(0)
        self.header((self.count, *self.shape) if several else self.shape)
        self.file.close()
        self.file = None
        os.replace(self.part, self.path)

    def drop(self) -> None:
        """Removes what was written, if it was not ended."""
        if self.file is not None:
            self.file.close()
            self.file = None
            self.part.unlink(missing_ok=True)


def target(folder: str, source: Source) -> Path:
    """The file of a source; its suffix tells a.jpg from a.png."""
    suffix = Path(source.path).suffix.lstrip('.')
    name = f'{source.name}.{suffix}' if suffix else source.name
    return Path(folder) / f'{name}.npy'


def join(folder: str, path: str) -> int:
    """Puts all files of a folder into one.

    Args:
        folder: As of :meth:`Extractor.run`.
        path: ``.safetensors`` by name, or ``.parquet`` with a row per file.

    Returns:
        How many there were.

    Raises:
        UserError: Another suffix, or no pyarrow for parquet.
    """
    files = sorted(Path(folder).rglob('*.npy'))
    names = [f.relative_to(folder).with_suffix('').as_posix() for f in files]
    arrays = [np.load(file) for file in files]
    if path.endswith('.safetensors'):
        from safetensors.numpy import save_file

        save_file(dict(zip(names, arrays)), path)
    elif path.endswith('.parquet'):
        try:
            import pyarrow
            import pyarrow.parquet as parquet
        except ImportError as error:
            raise UserError(
                f'{path!r}: parquet needs pyarrow; pip install pyarrow'
            ) from error
        rows = [array.ravel() for array in arrays]
        shapes = [list(array.shape) for array in arrays]
        table = dict(name=names, feature=rows, shape=shapes)
        parquet.write_table(pyarrow.table(table), path)
    else:
        raise UserError(f'{path!r}: wanted .safetensors or .parquet')
    return len(files)
