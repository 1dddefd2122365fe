"""Weight files: reading, every wrapper they come in, comparing, writing.

Functions from files and dicts to dicts; they know torch only. What is done to
the weights themselves is in :mod:`mmuniformer.weights.transfer`.
"""

import argparse
import json
import os
import pickle
import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ..errors import UserError

WRAPPERS = ('state_dict', 'model', 'model_state')
EMA_WRAPPERS = ('state_dict_ema', 'model_ema')
# mmengine swaps the two sets when it saves: its `state_dict` is the average,
# and this has the weights that were trained.
SWAPPED = 'ema_state_dict'
# Of several nested wrappers; the longest match is stripped first.
PREFIXES = ('module.', 'model.', '_orig_mod.')
# Under this key of a file's `meta` this package notes what shapes do not
# tell: head_dim, the published file that the weights are from, class order.
NOTE = 'mmuniformer'


Shapes = Mapping[str, torch.Size]


class Match(NamedTuple):
    """Names of a model's tensors compared with those of a file.

    Attributes:
        matched: In both, of one shape.
        missing: In the model alone.
        unexpected: In the file alone.
        mismatched: In both, with different shapes, as readable lines.
    """

    matched: list[str]
    missing: list[str]
    unexpected: list[str]
    mismatched: list[str]


def read(path: str | os.PathLike[str]) -> Any:
    """Reads a weight file into CPU memory without running code from it.

    Args:
        path: A ``.pth``, ``.pyth``, ``.pt``, ``.bin`` or ``.safetensors``
            file.

    Raises:
        UserError: There is no such file, it is damaged or no weight file, or
            it holds Python objects other than plain data.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f'checkpoint={str(path)!r}: no such file')
    try:
        if path.suffix == '.safetensors':
            return _read_safetensors(path)
        return _load(path)
    except pickle.UnpicklingError as error:
        if 'GLOBAL' in str(error) or 'Unsupported' in str(error):
            raise UserError(
                f'checkpoint={str(path)!r}: holds Python objects that could '
                f'run code and were not loaded; wanted tensors and plain '
                f'data ({_first_line(error)})'
            ) from error
        raise _unreadable(path, error) from error
    except Exception as error:
        raise _unreadable(path, error) from error


def _read_safetensors(path: Path) -> dict[str, Any]:
    from safetensors import safe_open

    with safe_open(path, 'pt') as file:
        state = {name: file.get_tensor(name) for name in file.keys()}
        return {'state_dict': state, 'meta': file.metadata() or {}}


def _load(path: Path) -> Any:
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


# How files begin that are saved in place of weights.
FOREIGN = {
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
    rb'\Z': 'is empty',
}


def foreign(path: Path) -> str:
    """What a file is instead of weights, in words; '' if it may be some."""
    with open(path, 'rb') as file:
        start = file.read(512)
    for pattern, kind in FOREIGN.items():
        if re.match(pattern, start, re.DOTALL | re.IGNORECASE):
            return kind
    return ''


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _unreadable(path: Path, error: Exception) -> UserError:
    with open(path, 'rb') as file:
        is_zip = file.read(2) == b'PK'
    cut = is_zip and not zipfile.is_zipfile(path)
    why = 'is cut off' if cut else 'cannot be read as a weight file'
    return UserError(
        f'checkpoint={str(path)!r}: {why}, {path.stat().st_size} bytes; '
        f'copy or download it again ({_first_line(error)})'
    )


def write(
    path: str | os.PathLike[str],
    state: Mapping[str, Tensor],
    wrapper: str = 'state_dict',
    note: Mapping[str, Any] | None = None,
) -> None:
    """Writes a weight file whole or not at all.

    Args:
        path: ``.safetensors``, or any other suffix for torch's own format.
        state: Tensors by name.
        wrapper: Key of the weights in torch's format.
        note: What :func:`read_note` is to give back.

    Raises:
        UserError: There is no such folder.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise UserError(f'{str(path)!r}: no such folder')
    # Copies: views would bring all of their storage along, and safetensors
    # refuses tensors that share it.
    state = {name: value.contiguous().clone() for name, value in state.items()}
    meta = write_note(note or {})
    part = path.with_name(f'.{path.name}.{os.getpid()}.part')
    try:
        if path.suffix == '.safetensors':
            from safetensors.torch import save_file

            save_file(state, part, metadata=meta)
        else:
            torch.save({wrapper: state, 'meta': meta}, part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_note(note: Mapping[str, Any]) -> dict[str, str]:
    """An entry for a file's ``meta``: text, which every format takes."""
    return {NOTE: json.dumps(dict(note))}


def read_note(checkpoint: Any) -> dict[str, Any]:
    """What this package has noted in a file, see ``NOTE``."""
    meta = checkpoint.get('meta') if isinstance(checkpoint, Mapping) else None
    try:
        note = json.loads(meta[NOTE])  # type: ignore[index]
    except (TypeError, KeyError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def unwrap(
    checkpoint: Any, ema: bool = False, raw: bool = False
) -> dict[str, Tensor]:
    """Finds the weights in what a trainer has saved.

    Args:
        checkpoint: Content of a file: tensors by name, or a dict that holds
            them under one of ``WRAPPERS``. These are the averaged weights in
            mmengine's files, the raw ones in those of others.
        ema: Take the averaged weights of a file with two sets.
        raw: Take the raw weights of a file with two sets; goes before
            ``ema``.

    Returns:
        Tensors by name, with the prefixes of wrappers (``module.``) removed.

    Raises:
        UserError: No weights in it, or not the two sets asked for.
    """
    if not isinstance(checkpoint, Mapping):
        raise UserError(
            f'wanted a dict of tensors, got {type(checkpoint).__name__}'
        )
    swapped = isinstance(checkpoint.get(SWAPPED), Mapping)
    if raw and swapped:
        # Beside the weights there is a counter, without the prefix.
        return unwrap_prefixes(strip_prefix(checkpoint[SWAPPED], 'module.'))
    if raw and not any(name in checkpoint for name in EMA_WRAPPERS):
        raise UserError(
            f'holds one set of weights, not averaged and raw ones; wanted '
            f'one of {", ".join((SWAPPED, *EMA_WRAPPERS))} in it, got '
            f'{", ".join(map(str, checkpoint))}'
        )
    names = WRAPPERS if raw or swapped or not ema else EMA_WRAPPERS
    for name in names:
        inner = checkpoint.get(name)
        if isinstance(inner, Mapping):
            return unwrap_prefixes(inner)
    if ema:
        raise UserError(
            f'ema=True: no averaged weights; wanted one of '
            f'{", ".join(names)}, got {", ".join(map(str, checkpoint))}'
        )
    return unwrap_prefixes(checkpoint)


def unwrap_prefixes(state: Mapping[str, Any]) -> dict[str, Tensor]:
    """Keeps the tensors and removes prefixes that all names share."""
    tensors = {str(k): v for k, v in state.items() if torch.is_tensor(v)}
    if not tensors:
        raise UserError(
            f'no tensors under the keys {list(map(str, state))[:8]}'
        )
    changed = True
    while changed:
        changed = False
        for prefix in PREFIXES:
            if all(name.startswith(prefix) for name in tensors):
                tensors = strip_prefix(tensors, prefix)
                changed = True
    return tensors


def strip_prefix(
    state: Mapping[str, Tensor], prefix: str
) -> dict[str, Tensor]:
    """The entries whose names start with ``prefix``, without it."""
    return {
        name.removeprefix(prefix): value
        for name, value in state.items()
        if name.startswith(prefix)
    }


def shapes(model: nn.Module) -> Shapes:
    """Shapes of a model's tensors by name."""
    return {name: value.shape for name, value in model.state_dict().items()}


def compare(own: Shapes, state: Mapping[str, Tensor]) -> Match:
    """Compares the names and shapes of a model with those of a file.

    Batch counters (``num_batches_tracked``), which old files lack, are not
    counted as missing.
    """
    missing = [
        name
        for name in own
        if name not in state and not name.endswith('num_batches_tracked')
    ]
    both = [name for name in own if name in state]
    mismatched = [
        f'{name}: {tuple(state[name].shape)} in the file, '
        f'{tuple(own[name])} in the model'
        for name in both
        if own[name] != state[name].shape
    ]
    matched = [name for name in both if own[name] == state[name].shape]
    unexpected = [name for name in state if name not in own]
    return Match(matched, missing, unexpected, mismatched)


def brief(names: Iterable[str], count: int = 4) -> str:
    """The first few of many names, in one line."""
    names = list(names)
    more = f' and {len(names) - count} more' if len(names) > count else ''
    return (', '.join(names[:count]) + more) or 'none'
