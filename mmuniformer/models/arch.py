"""The released sizes of UniFormer and the checks on a user's own size."""

from typing import Any, NamedTuple

from ..errors import UserError


class Arch(NamedTuple):
    """What differs between two sizes; one entry per stage.

    Attributes:
        depths: Blocks.
        embed_dims: Channels C.
        head_dim: Channels per attention head (one number). It changes no
            tensor shape: with a wrong value a weight file loads and gives
            wrong results.
        stems: 'patch' or 'conv', see ``layers.STEMS``.
        mlp_ratio: Hidden channels of the MLPs in multiples of C (one number).
        layer_scale: Whether the blocks have layer scales.
    """

    depths: tuple[int, ...]
    embed_dims: tuple[int, ...] = (64, 128, 320, 512)
    head_dim: int = 64
    stems: tuple[str, ...] = ('patch',) * 4
    mlp_ratio: float = 4
    layer_scale: tuple[bool, ...] = (False,) * 4


ARCHS = {
    's': Arch((3, 4, 8, 3)),
    's_plus': Arch((3, 5, 9, 3), head_dim=32, stems=('conv',) * 4),
    'b': Arch((5, 8, 20, 7)),
    'b_ls': Arch((5, 8, 20, 7), layer_scale=(False, False, True, True)),
    'l': Arch((5, 10, 24, 7), (128, 192, 448, 640), layer_scale=(True,) * 4),
}

_LIGHT_STEMS = ('conv', 'patch', 'patch', 'patch')
LIGHT_ARCHS = {
    'xxs': Arch((2, 5, 8, 2), (56, 112, 224, 448), 28, _LIGHT_STEMS, 3),
    'xs': Arch((3, 5, 9, 3), (64, 128, 256, 512), 32, _LIGHT_STEMS, 3),
}


def resolve_arch(
    arch: str | dict[str, Any],
    archs: dict[str, Arch],
    head_dim: int | None = None,
) -> Arch:
    """Looks up a size by name, or checks a size given as a dict.

    Args:
        arch: A key of ``archs`` or the fields of :class:`Arch`.
        archs: The named sizes.
        head_dim: Replaces the size's own value.

    Raises:
        UserError: Unknown name or field, or values that do not fit together.
    """
    if isinstance(arch, dict):
        unknown = sorted(set(arch) - set(Arch._fields))
        if unknown or 'depths' not in arch:
            raise UserError(
                f'arch={arch!r}: wanted a dict with depths and any of '
                f'{", ".join(Arch._fields[1:])}; unknown: {unknown}'
            )
        arch = {
            k: tuple(v) if isinstance(v, list) else v for k, v in arch.items()
        }
        found = Arch(**arch)
    elif isinstance(arch, str) and arch in archs:
        found = archs[arch]
    else:
        raise UserError(
            f'arch={arch!r}: wanted one of {", ".join(archs)}, or a dict'
        )
    if head_dim is not None:
        found = found._replace(head_dim=head_dim)
    _check(found)
    return found


def _check(arch: Arch) -> None:
    for name in ('depths', 'embed_dims', 'stems', 'layer_scale'):
        value = getattr(arch, name)
        if not isinstance(value, tuple) or len(value) != 4:
            raise UserError(
                f'arch: {name}={value!r}: wanted four values, one per stage'
            )
    if any(not isinstance(d, int) or d < 1 for d in arch.depths):
        raise UserError(f'arch: depths={arch.depths}: wanted positive ints')
    if any(stem not in ('patch', 'conv') for stem in arch.stems):
        raise UserError(f"arch: stems={arch.stems}: wanted 'patch' or 'conv'")
    for dim in arch.embed_dims[2:]:
        if arch.head_dim < 1 or dim % arch.head_dim:
            raise UserError(
                f'head_dim={arch.head_dim}: wanted a positive divisor of '
                f'embed_dims of stages 3 and 4, {arch.embed_dims[2:]}'
            )
