"""Reads weight files that may be damaged or hostile, and runs no code.

What a file is, its content says, not its name. All that can be known is
checked before PyTorch opens it: what it is instead of weights, the sums of
its parts, the size that they say they unpack to.
"""

import argparse
import os
import pickle
import re
import zipfile
from pathlib import Path
from typing import Any

import torch

from ..errors import UserError

# How files begin that are found in place of weights.
FOREIGN = {
    rb'\Z': 'is empty',
    rb'\s*<(!doctype html|html|head|body)': 'is an HTML page',
    rb'\s*<\?xml': 'is an XML page',
    rb'version https://git-lfs': 'is a Git LFS pointer, not the file itself',
    rb'\x89PNG|\xff\xd8\xff|GIF8|RIFF....WEBP|BM....\0\0|II\*\0|MM\0\*': (
        'is a picture'
    ),
    rb'\x1f\x8b|BZh|\xfd7zXZ|7z\xbc|Rar!|\x28\xb5\x2f\xfd': (
        'is a compressed archive: unpack it'
    ),
    rb'.{257}ustar': 'is a tar archive: unpack it',
    rb'%PDF': 'is a PDF page',
    rb'\x89HDF': 'is an HDF5 file, of another framework',
    rb'\x93NUMPY': 'is a numpy array',
    rb'GGUF': 'is a GGUF file, of another framework',
    rb'\x7fELF|MZ': 'is a program',
}
# PyTorch packs nothing; what somebody has packed again may be smaller by so
# much, or is small anyhow.
PACKED, SMALL_BYTES = 20, 2**28
BLOCK_BYTES = 2**22


def read(path: str | os.PathLike[str]) -> Any:
    """Reads a weight file into CPU memory without running code from it.

    Args:
        path: A file of PyTorch's, zipped or older, or of safetensors.

    Raises:
        UserError: There is no such file, it is damaged or no weight file, or
            it holds Python objects other than plain data.
    """
    path = Path(path)
    try:
        kind = check(path)
        if kind == 'safetensors':
            return _read_safetensors(path)
        content = load(path)
        fault = without_content(content)
        if fault:
            raise UserError(f'checkpoint={str(path)!r}: {fault}')
        return content
    except UserError:
        raise
    except pickle.UnpicklingError as error:
        if re.search(r'GLOBAL|Unsupported (class|global)', str(error)):
            raise UserError(
                f'checkpoint={str(path)!r}: holds Python objects that could '
                f'run code and were not loaded; wanted tensors and plain '
                f'data ({_first_line(error)})'
            ) from error
        raise _unreadable(path, error) from error
    except Exception as error:
        raise _unreadable(path, error) from error


def check(path: Path) -> str:
    """Checks all that can be known of a file before it is opened.

    Returns:
        Its kind: 'zip', 'pickle' or 'safetensors'.

    Raises:
        UserError: It is not there, damaged, or something else.
    """
    if not path.is_file():
        what = 'is a folder' if path.is_dir() else 'no such file'
        raise UserError(f'checkpoint={str(path)!r}: {what}')
    what, kind = foreign(path), ''
    if not what:
        with open(path, 'rb') as file:
            start = file.read(16)
        if start[:2] == b'PK':
            what, kind = _broken_zip(path), 'zip'
        elif start[8:9] == b'{':
            size = int.from_bytes(start[:8], 'little')
            kind = 'safetensors'
            if size > path.stat().st_size:
                what = 'is cut off'
        elif start[:1] == b'\x80':
            kind = 'pickle'
        else:
            what = f'is no weight file: it begins with {start!r}'
    if what:
        raise UserError(
            f'checkpoint={str(path)!r}: {what}, {path.stat().st_size} bytes; '
            f'copy or download it again'
        )
    return kind


def foreign(path: Path) -> str:
    """What a file is instead of weights, in words; '' if it may be some."""
    with open(path, 'rb') as file:
        start = file.read(512)
    for pattern, kind in FOREIGN.items():
        if re.match(pattern, start, re.DOTALL | re.IGNORECASE):
            return kind
    return ''


def _broken_zip(path: Path) -> str:
    """What is wrong with a zipped file, in words."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _wrong_parts(archive, path.stat().st_size)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError):
        return 'is cut off' if not zipfile.is_zipfile(path) else 'is damaged'


def _wrong_parts(archive: zipfile.ZipFile, size: int) -> str:
    parts = archive.infolist()
    names = [part.filename for part in parts]
    if any(re.search(r'(^|/)(constants\.pkl|code/)', n) for n in names):
        return 'is a TorchScript archive, a program: save its state_dict'
    if not any(re.search(r'(^|/)data\.pkl$', name) for name in names):
        return 'is a zip archive without weights'
    total = sum(part.file_size for part in parts)
    if total > max(SMALL_BYTES, PACKED * size):
        return f'unpacks to {total} bytes, which no weight file does'
    if len(set(names)) < len(names):
        return 'has two parts of one name'
    good = [_has_its_sum(archive, part) for part in parts]
    # PyTorch can be told not to compute sums; then none of them is right.
    if not all(good) and any(good):
        return f'is damaged in {names[good.index(False)]}'
    return ''


def _has_its_sum(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    try:
        with archive.open(part) as file:
            while file.read(BLOCK_BYTES):
                pass
    except zipfile.BadZipFile:
        return False
    return True


def _read_safetensors(path: Path) -> dict[str, Any]:
    from safetensors import safe_open

    with safe_open(path, 'pt') as file:
        state = {name: file.get_tensor(name) for name in file.keys()}
        return {'state_dict': state, 'meta': file.metadata() or {}}


def load(path: Path) -> Any:
    """``torch.load`` for plain data."""
    if torch.__version__ < '2.6':  # compares as versions do
        from ..compat import restricted_pickle  # by names private to torch

        return torch.load(
            path,
            map_location='cpu',
            weights_only=False,
            pickle_module=restricted_pickle,
        )
    # The one class of the authors' files that is no plain data.
    with torch.serialization.safe_globals([argparse.Namespace]):
        return torch.load(path, map_location='cpu', weights_only=True)


def without_content(content: Any) -> str:
    """What is said of tensors that are not in a file, in words; or ''.

    A file of some bytes can have a tensor on no device, or one that repeats
    a number as often as it likes, for which there is no memory.
    """
    stack, seen = [content], set()
    while stack:
        value = stack.pop()
        if torch.is_tensor(value):
            if value.is_meta:
                return 'has tensors without content, of the device meta'
            if value.layout == torch.strided and not value.is_quantized:
                size = value.numel() * value.element_size()
                here = value.untyped_storage().nbytes()
                if size > max(SMALL_BYTES, PACKED * here):
                    return f'has a tensor of {size} bytes, and {here} of them'
        elif isinstance(value, (dict, list, tuple)) and id(value) not in seen:
            seen.add(id(value))
            stack += value.values() if isinstance(value, dict) else value
    return ''


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _unreadable(path: Path, error: Exception) -> UserError:
    return UserError(
        f'checkpoint={str(path)!r}: cannot be read as a weight file, '
        f'{path.stat().st_size} bytes; copy or download it again '
        f'({_first_line(error)})'
    )
