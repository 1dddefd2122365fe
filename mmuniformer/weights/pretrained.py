"""Loading of published weights into a backbone, never in silence."""

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.logging import print_log
from torch import Tensor, nn

from ..errors import UserError
from . import files, transfer, variant
from .download import fetch

# Output norms of dense models: no classification file holds them.
NEW_IN_DENSE = re.compile(r'norm[1-4]\.(weight|bias)')
# What a classification file has and a backbone for another task has not.
EXPECTED = re.compile(f'({transfer.NORMS.pattern})|(aux_)?head(_cls)?\\.')
MIN_COVERAGE = 0.99


def load_pretrained(
    model: nn.Module,
    checkpoint: str,
    prefix: str | None = None,
    ema: bool = False,
    inflate: str = 'average',
    allow_partial: bool | str = False,
    check_variant: bool = True,
) -> files.Match:
    """Loads a published weight file into a backbone.

    The log says how many of the backbone's tensors came from the file, what
    is new in the model and what of the file was left out.

    Args:
        model: The backbone.
        checkpoint: Path or URL of any file that
            :func:`mmuniformer.weights.files.read` knows.
        prefix: Where the backbone is in the file; by default it is found.
        ema: Take the averaged weights of the file.
        inflate: How image weights get a time axis, see
            :func:`mmuniformer.weights.transfer.inflate`.
        allow_partial: Accept a file that lacks a part of the backbone or has
            more than it; or a regular expression of the names that it may
            lack, e.g. 'blocks.*gamma_[12]' for new layer scales.
        check_variant: Refuse a published file of another variant, which
            shapes may not tell.

    Raises:
        UserError: The file is missing or damaged, is of another variant, a
            shape differs, or too few of the backbone's tensors are in it.
    """
    path = fetch(checkpoint)
    with named(checkpoint):
        content = files.read(path)
        state = files.unwrap(content, ema)
        if check_variant:
            variant.check(model, path, files.read_note(content))
    return load_state(model, state, checkpoint, prefix, inflate, allow_partial)


def load_state(
    model: nn.Module,
    state: dict[str, Tensor],
    checkpoint: str,
    prefix: str | None = None,
    inflate: str = 'average',
    allow_partial: bool | str = False,
) -> files.Match:
    """Loads tensors by name; arguments and errors of :func:`load_pretrained`.

    Args:
        model: The backbone.
        state: Tensors by name.
        checkpoint: What to call them in messages.
        prefix: Where the backbone is among them.
        inflate: How image weights get a time axis.
        allow_partial: What may differ.
    """
    if prefix is None:
        inside = any(name.startswith('backbone.') for name in state)
        prefix = 'backbone.' if inside else ''
    others = [name for name in state if not name.startswith(prefix)]
    own = files.shapes(model)
    flat = files.strip_prefix(state, prefix)
    fitted = transfer.fit_channels(flat, own)
    part = transfer.inflate(fitted, own, inflate)
    match = files.compare(own, part)
    with named(checkpoint):
        check_body(match, list(state), allow_partial)
    model.load_state_dict(
        {name: part[name] for name in match.matched}, strict=False
    )
    strange = [n for n in match.missing if not NEW_IN_DENSE.fullmatch(n)]
    strange += [n for n in match.unexpected if not EXPECTED.match(n)]
    match.unexpected.extend(others)
    notes = transfer.fitted_channels(flat, fitted)
    notes += transfer.inflated(fitted, part, inflate)
    report(checkpoint, match, describe(model), notes, bool(strange))
    return match


def describe(model: nn.Module) -> str:
    """The backbone in a few words, ``head_dim`` included."""
    head_dim = getattr(getattr(model, 'arch', None), 'head_dim', None)
    name = type(model).__name__
    return f'{name} (head_dim {head_dim})' if head_dim else name


@contextmanager
def named(checkpoint: str) -> Iterator[None]:
    """Puts the name of the file before messages of UserErrors."""
    try:
        yield
    except UserError as error:
        if str(error).startswith('checkpoint='):
            raise
        message = f'checkpoint={str(checkpoint)!r}: {error}'
        raise UserError(message) from error


def check_body(
    match: files.Match, keys: list[str], allow_partial: bool | str = False
) -> None:
    """Raises UserError unless weights are those of this backbone.

    Args:
        match: The backbone compared with the weights, by its own names.
        keys: Names of all tensors in the file.
        allow_partial: What may differ.
    """
    if match.mismatched:
        raise UserError(
            f'{len(match.mismatched)} tensors differ in shape, so it is of '
            f'another size or kind: {files.brief(match.mismatched)}'
        )
    if allow_partial is True:
        return
    missing = [n for n in match.missing if not NEW_IN_DENSE.fullmatch(n)]
    if allow_partial:
        missing = [n for n in missing if not re.search(allow_partial, n)]
    total = len(match.matched) + len(missing)
    if len(match.matched) < MIN_COVERAGE * total:
        raise UserError(
            f'only {len(match.matched)} of {total} tensors of the backbone '
            f'are in it; missing: {files.brief(missing)}; the file has: '
            f'{files.brief(keys)}'
        )
    more = [
        name
        for name in match.unexpected
        if transfer.BODY.match(transfer.common_name(name))
    ]
    if more:
        raise UserError(
            f'{len(more)} of its tensors have no place in the backbone, so '
            f'it is of another size or kind: {files.brief(more)}'
        )


def report(
    checkpoint: str,
    match: files.Match,
    model: str,
    notes: Iterable[str] = (),
    warn: bool = False,
) -> None:
    """Logs in one line what was loaded.

    Args:
        checkpoint: The file.
        match: The model compared with the file.
        model: The model in a few words.
        notes: What else to say.
        warn: Whether somebody should look at the line.
    """
    total = len(match.matched) + len(match.missing)
    line = [
        f'{Path(checkpoint).name}: loaded {len(match.matched)} of {total} '
        f'tensors of {model}',
        f'new: {files.brief(match.missing)}',
        f'left out: {files.brief(match.unexpected)}',
        *notes,
    ]
    level = logging.WARNING if warn else logging.INFO
    print_log('; '.join(line), logger='current', level=level)


def pretrained_cfg(init_cfg: Any) -> tuple[dict[str, Any], list[Any]]:
    """Splits an ``init_cfg`` into the Pretrained entry and the others.

    Returns:
        Arguments of :func:`load_pretrained`, empty if there is no such
        entry, and the entries that are left to mmengine.
    """
    cfgs = init_cfg if isinstance(init_cfg, list) else [init_cfg]
    source: dict[str, Any] = {}
    others = []
    for cfg in filter(None, cfgs):
        if cfg['type'] == 'Pretrained':
            source = {k: v for k, v in cfg.items() if k != 'type'}
        else:
            others.append(cfg)
    return source, others
