"""Guard against weights of a variant that shapes do not tell."""

from typing import Any

from torch import nn

from ..errors import UserError
from .published import Release


def note(model: nn.Module) -> dict[str, Any]:
    """What to write into a weight file of a backbone."""
    arch: Any = getattr(model, 'arch', None)
    return arch._asdict() if hasattr(arch, '_asdict') else {}


def check(
    model: nn.Module, release: Release | None, note: dict[str, Any]
) -> None:
    """Raises UserError if a file is known to be of another variant.

    Args:
        model: The backbone, with its ``arch`` and all released ``archs``.
        release: The published file that it is, if it is one.
        note: What the file says of itself, see
            :func:`mmuniformer.weights.files.read_note`.
    """
    arch: Any = getattr(model, 'arch', None)
    if not hasattr(arch, '_replace'):
        return
    if release:
        _check_published(model, arch, release)
        return
    known = {f: _plain(note[f]) for f in arch._fields if f in note}
    noted = arch._replace(**known)
    # All the rest shapes tell, and better.
    if arch._replace(head_dim=noted.head_dim) == noted:
        _compare(arch, noted, 'a file', f'head_dim={noted.head_dim}')


def _check_published(model: Any, arch: Any, release: Release) -> None:
    if release.arch not in model.archs:
        raise UserError(
            f'it is the published {release.name} with arch={release.arch!r}, '
            f'which is no size of {type(model).__name__}, or set '
            f'check_variant=False if that is wrong'
        )
    size = model.archs[release.arch]
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


def _compare(arch: Any, wanted: Any, what: str, fix: str) -> None:
    """Raises UserError if two variants differ."""
    fields = arch._fields  # two nets that differ in any are two variants
    differ = [f for f in fields if getattr(wanted, f) != getattr(arch, f)]
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
