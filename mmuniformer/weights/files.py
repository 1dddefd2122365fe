"""Weight files: every wrapper they come in, comparing, writing.

Functions from files and dicts to dicts. How files are read is in
:mod:`mmuniformer.weights.reading`; what is done to the weights themselves is
in :mod:`mmuniformer.weights.transfer`.
"""

import io
import json
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ..compat import whole_files
from ..errors import UserError
from .reading import read as read

WRAPPERS = ('state_dict', 'model', 'model_state')
EMA_WRAPPERS = ('state_dict_ema', 'model_ema')
# mmengine swaps the two sets when it saves: its `state_dict` is the average,
# and this has the weights that were trained.
SWAPPED = 'ema_state_dict'
# What wrappers put before the names of all tensors; several may be nested.
PREFIXES = ('module.', 'model.', '_orig_mod.')
# Under this key of a file's `meta` this package notes what shapes do not
# tell: head_dim, the published file that the weights are from, class order.
NOTE = 'mmuniformer'


# Tensors of a module that come together.
COMPANIONS = dict(
    bias=('weight',),
    running_mean=('running_var', 'weight', 'bias'),
    running_var=('running_mean', 'weight', 'bias'),
)
FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
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
    if path.suffix == '.safetensors':
        from safetensors.torch import save

        content = save(state, metadata=meta)
    else:
        buffer = io.BytesIO()
        torch.save({wrapper: state, 'meta': meta}, buffer)
        content = buffer.getvalue()
    whole_files.write(path, content)


def write_note(note: Mapping[str, Any]) -> dict[str, str]:
    """An entry for a file's ``meta``: text, which every format takes."""
    return {NOTE: json.dumps(dict(note))}


def read_note(checkpoint: Any) -> dict[str, Any]:
    """What this package has noted in a file, see ``NOTE``."""
    meta = checkpoint.get('meta') if isinstance(checkpoint, Mapping) else None
    try:
        note = json.loads(meta[NOTE])  # type: ignore[index]
    except (TypeError, KeyError, ValueError, RecursionError):
        return {}
    kinds = (str, int, float, list)
    note = note if isinstance(note, dict) else {}
    return {k: v for k, v in note.items() if isinstance(v, kinds)}


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


def check_tensors(
    state: Mapping[str, Tensor], loose: Collection[str] = ()
) -> None:
    """Raises UserError at tensors that no model computes with.

    Args:
        state: Tensors by name.
        loose: Names of those that may be of another type, or not finite.
    """
    for name, value in state.items():
        wrong = '' if value.is_meta else _strange(value, name in loose)
        if wrong:
            raise UserError(f'{name} {wrong}; wanted finite float tensors')


@contextmanager
def named(path: str | os.PathLike[str]) -> Iterator[None]:
    """Puts the name of a file before what is wrong with its content.

    Raises:
        UserError: As what is done meanwhile, with the name.
    """
    try:
        yield
    except UserError as error:
        text, start = str(error), f'checkpoint={os.fspath(path)!r}'
        text = text if text.startswith('checkpoint=') else f'{start}: {text}'
        raise type(error)(text) from error


def check_whole(state: Mapping[str, Tensor]) -> None:
    """Checks a file that is of no known network by its own names and shapes.

    Raises:
        UserError: A tensor is gone, or of another shape than its companions.
    """
    missing = missing_names(state)
    if missing:
        raise UserError(
            f'lacks {brief(missing)}, which belong to the others; wanted a '
            f'whole file'
        )
    convolutions = set()
    for name, value in state.items():
        module, _, kind = name.rpartition('.')
        for other in COMPANIONS.get(kind, ()):
            partner = state[f'{module}.{other}' if module else other]
            if partner.shape[:1] != value.shape[:1] or value.ndim != 1:
                raise UserError(
                    f'{name} is of shape {tuple(value.shape)}, and '
                    f'{other} beside it of {tuple(partner.shape)}; wanted '
                    f'one number for each of its rows'
                )
        if kind == 'weight' and value.ndim > 2:
            convolutions.add(value.ndim)
    if len(convolutions) > 1:
        raise UserError(
            f'has convolutions of {sorted(convolutions)} dimensions; wanted '
            f'those of pictures or those of videos'
        )


def missing_names(names: Iterable[str]) -> list[str]:
    """What a file lacks, as far as its own names tell.

    Blocks of a stage have the same tensors, a bias has its weight, and a mean
    of a batch norm has its variance, weight and bias.

    Args:
        names: Of its tensors.
    """
    names = set(names)
    stages: dict[str, dict[str, set[str]]] = {}
    wanted = set()
    for name in names:
        match = re.fullmatch(r'(.*\bblocks\d)\.(\d+)\.(.+)', name)
        if match:
            blocks = stages.setdefault(match[1], {})
            blocks.setdefault(match[2], set()).add(match[3])
        module, _, kind = name.rpartition('.')
        for other in COMPANIONS.get(kind, ()):
            wanted.add(f'{module}.{other}' if module else other)
    for stage, blocks in stages.items():
        union = set().union(*blocks.values())
        wanted |= {f'{stage}.{i}.{name}' for i in blocks for name in union}
    return sorted(wanted - names)


def _strange(value: Tensor, loose: bool) -> str:
    """What is strange about a tensor, in words."""
    if value.is_quantized:
        return f'is quantised ({value.dtype})'
    if value.layout != torch.strided:
        return f'is sparse ({value.layout})'
    if value.dtype not in FLOATS:
        return '' if loose else f'is of type {value.dtype}'
    if loose:
        return ''
    wrong = value.numel() - int(value.isfinite().sum())
    return f'has {wrong} of {value.numel()} values not finite' if wrong else ''


def brief(names: Iterable[str], count: int = 4) -> str:
    """The first few of many names, in one line."""
    names = [
        name[:99] if name.isprintable() else repr(name)[:99] for name in names
    ]
    more = f' and {len(names) - count} more' if len(names) > count else ''
    return (', '.join(names[:count]) + more) or 'none'
