"""Reading of weight files: every wrapper the published files come in.

Pure functions from files and dicts to dicts; they know torch only.
"""

import argparse
import os
import pickle
import zipfile
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from .errors import UserError

WRAPPERS = ('state_dict', 'model', 'model_state')
EMA_WRAPPERS = ('ema_state_dict', 'state_dict_ema', 'model_ema')
# Of several nested wrappers; the longest match is stripped first.
PREFIXES = ('module.', 'model.', '_orig_mod.')


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
            from safetensors.torch import load_file

            return load_file(path)
        with _plain_containers():
            return torch.load(path, map_location='cpu', weights_only=True)
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


def _plain_containers() -> Any:
    """Allows the one class of the authors' files that is no plain data."""
    allow = getattr(torch.serialization, 'safe_globals', None)
    return allow([argparse.Namespace]) if allow else nullcontext()


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


def unwrap(checkpoint: Any, ema: bool = False) -> dict[str, Tensor]:
    """Finds the weights in what a trainer has saved.

    Args:
        checkpoint: Content of a file: tensors by name, or a dict that holds
            them under one of ``WRAPPERS``.
        ema: Take the averaged weights, under one of ``EMA_WRAPPERS``.

    Returns:
        Tensors by name, with the prefixes of wrappers (``module.``) removed.

    Raises:
        UserError: No weights in it, or no averaged ones.
    """
    if not isinstance(checkpoint, Mapping):
        raise UserError(
            f'wanted a dict of tensors, got {type(checkpoint).__name__}'
        )
    names = EMA_WRAPPERS if ema else WRAPPERS
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


def compare(model: nn.Module, state: Mapping[str, Tensor]) -> Match:
    """Compares the names and shapes of a model with those of a file.

    Batch counters (``num_batches_tracked``), which old files lack, are not
    counted as missing.
    """
    own = model.state_dict()
    missing = [
        name
        for name in own
        if name not in state and not name.endswith('num_batches_tracked')
    ]
    mismatched = [
        f'{name}: {tuple(state[name].shape)} in the file, '
        f'{tuple(own[name].shape)} in the model'
        for name in own
        if name in state and own[name].shape != state[name].shape
    ]
    matched = [
        name
        for name in own
        if name in state and own[name].shape == state[name].shape
    ]
    unexpected = [name for name in state if name not in own]
    return Match(matched, missing, unexpected, mismatched)


def brief(names: Iterable[str], count: int = 4) -> str:
    """The first few of many names, in one line."""
    names = list(names)
    more = f' and {len(names) - count} more' if len(names) > count else ''
    return (', '.join(names[:count]) + more) or 'none'
