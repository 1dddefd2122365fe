"""Loading of published weights into a backbone, never in silence."""

import os
import re
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import barrier, get_local_rank
from mmengine.logging import print_log
from torch import Tensor, nn

from .. import checkpoint as files
from ..errors import UserError

# Output norms of dense models: no classification file holds them.
NEW_IN_DENSE = re.compile(r'norm[1-4]\.(weight|bias)')
MIN_COVERAGE = 0.99


def load_pretrained(
    model: nn.Module,
    checkpoint: str,
    prefix: str | None = None,
    ema: bool = False,
) -> files.Match:
    """Loads a published weight file into a backbone.

    The log says how many of the backbone's tensors came from the file, what
    is new in the model and what of the file was left out.

    Args:
        model: The backbone.
        checkpoint: Path or URL of any file that
            :func:`mmuniformer.checkpoint.read` knows.
        prefix: Where the backbone is in the file; by default 'backbone.' if
            the file has such names, else ''.
        ema: Take the averaged weights of the file.

    Raises:
        UserError: The file is missing or damaged, a shape differs, or too
            few of the backbone's tensors are in it.
    """
    path = fetch(checkpoint)
    try:
        state = files.unwrap(files.read(path), ema)
    except UserError as error:
        message = str(error)
        if not message.startswith('checkpoint='):
            message = f'checkpoint={str(checkpoint)!r}: {message}'
        raise UserError(message) from error
    return load_state(model, state, checkpoint, prefix)


def load_state(
    model: nn.Module,
    state: dict[str, Tensor],
    checkpoint: str,
    prefix: str | None = None,
) -> files.Match:
    """Loads tensors by name; arguments and errors of :func:`load_pretrained`.

    Args:
        model: The backbone.
        state: Tensors by name.
        checkpoint: What to call them in messages.
        prefix: Where the backbone is among them.
    """
    if prefix is None:
        inside = any(name.startswith('backbone.') for name in state)
        prefix = 'backbone.' if inside else ''
    own = files.strip_prefix(state, prefix)
    others = [name for name in state if not name.startswith(prefix)]
    match = files.compare(model, own)
    check_match(match, checkpoint, list(state))
    model.load_state_dict(own, strict=False)
    print_log(
        f'{Path(checkpoint).name}: loaded {len(match.matched)} of '
        f'{len(match.matched) + len(match.missing)} tensors of '
        f'{describe(model)}; new: {files.brief(match.missing)}; '
        f'left out: {files.brief(match.unexpected + others)}',
        logger='current',
    )
    return match


def describe(model: nn.Module) -> str:
    """The backbone in a few words, ``head_dim`` included."""
    head_dim = getattr(getattr(model, 'arch', None), 'head_dim', None)
    name = type(model).__name__
    return f'{name} (head_dim {head_dim})' if head_dim else name


def check_match(match: files.Match, checkpoint: str, keys: list[str]) -> None:
    """Raises UserError unless the file is a file of this backbone."""
    if match.mismatched:
        raise UserError(
            f'checkpoint={str(checkpoint)!r}: {len(match.mismatched)} tensors '
            f'differ in shape, so it is of another size or kind: '
            f'{files.brief(match.mismatched)}'
        )
    missing = [n for n in match.missing if not NEW_IN_DENSE.fullmatch(n)]
    total = len(match.matched) + len(missing)
    if len(match.matched) < MIN_COVERAGE * total:
        raise UserError(
            f'checkpoint={str(checkpoint)!r}: only {len(match.matched)} of '
            f'{total} tensors of the backbone are in it; missing: '
            f'{files.brief(missing)}; the file has: {files.brief(keys)}'
        )


def is_url(checkpoint: str) -> bool:
    """Whether a checkpoint must be downloaded."""
    return str(checkpoint).startswith(('http://', 'https://'))


def cached_path(url: str) -> Path:
    """Where a downloaded file is kept: the cache of ``torch.hub``."""
    name = url.split('?')[0].rsplit('/', 1)[-1]
    return Path(torch.hub.get_dir()) / 'checkpoints' / name


def fetch(checkpoint: str) -> Path:
    """Returns the local path of a file, downloading a URL once per node."""
    if not is_url(checkpoint):
        return Path(checkpoint).expanduser()
    path = cached_path(checkpoint)
    if get_local_rank() == 0 and not path.is_file():
        os.makedirs(path.parent, exist_ok=True)
        print_log(f'downloading {checkpoint} to {path}', logger='current')
        try:
            torch.hub.download_url_to_file(checkpoint, str(path))
        except OSError as error:
            raise UserError(
                f'checkpoint={checkpoint!r}: download failed ({error}); put '
                f'the file at {path} or give its path'
            ) from error
    barrier()
    return path


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
