"""Guard against weights of a variant that shapes do not tell."""

import os
from typing import Any

from torch import nn

from ..errors import UserError
from ..models.arch import ARCHS, LIGHT_ARCHS, Arch
from . import published

# Two nets that differ in any of these are two variants.
FIELDS = Arch._fields


def note(model: nn.Module) -> dict[str, Any]:
    """What to write into a weight file of a backbone."""
    arch = getattr(model, 'arch', None)
    if not isinstance(arch, Arch):
        return {}
    return {field: getattr(arch, field) for field in FIELDS}


def check(
    model: nn.Module, path: str | os.PathLike[str], note: dict[str, Any]
) -> None:
    """Raises UserError if a file is known to be of another variant.

    Args:
        model: The backbone.
        path: The weight file.
        note: What the file says of itself, see
            :func:`mmuniformer.weights.files.read_note`.
    """
    arch = getattr(model, 'arch', None)
    if not isinstance(arch, Arch):
        return
    release = published.find(path) or published.table().get(
        note.get('published', '')
    )
    if release:
        _check_published(model, arch, release)
        return
    noted = arch._replace(**{f: _plain(note[f]) for f in FIELDS if f in note})
    # All the rest shapes tell, and better.
    if arch._replace(head_dim=noted.head_dim) == noted:
        _compare(arch, noted, 'a file', f'head_dim={noted.head_dim}')


def _check_published(
    model: nn.Module, arch: Arch, release: published.Release
) -> None:
    size = (ARCHS | LIGHT_ARCHS)[release.arch]
    fix = f'arch={release.arch!r}, head_dim={release.head_dim}'
    wanted = size._replace(head_dim=release.head_dim)
    names = dict(model.named_parameters())
    scaled = tuple(f'blocks{i}.0.gamma_1' in names for i in '1234')
    # A file without layer scales may start a model that has them.
    needed = tuple(i in release.layer_scale for i in '1234')
    arch = arch._replace(layer_scale=scaled)
    wanted = wanted._replace(layer_scale=needed if any(needed) else scaled)
    if any(needed) and not any(size.layer_scale):
        fix += ', layer_scale_init_value=0.1'
    if arch._replace(head_dim=wanted.head_dim) == wanted:
        fix = f'head_dim={wanted.head_dim}'
    _compare(arch, wanted, f'the published {release.name}', fix)


def _compare(arch: Arch, wanted: Arch, what: str, fix: str) -> None:
    """Raises UserError if two variants differ."""
    differ = [f for f in FIELDS if getattr(wanted, f) != getattr(arch, f)]
    if differ:
        theirs = ', '.join(f'{f}={getattr(wanted, f)}' for f in differ)
        ours = ', '.join(f'{f}={getattr(arch, f)}' for f in differ)
        raise UserError(
            f'it is {what} with {theirs}, but the model has {ours}: build it '
            f'with {fix}, or set check_variant=False if that is wrong'
        )


def _plain(value: Any) -> Any:
    """A noted value: JSON has no tuples."""
    return tuple(value) if isinstance(value, list) else value
