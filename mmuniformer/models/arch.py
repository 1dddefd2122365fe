"""The released sizes of UniFormer and the checks on a user's own size."""

from collections.abc import Callable
from typing import Any, NamedTuple

from .. import options
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

    def first_scale(self, stage: int, value: float | None) -> float:
        """First value of the layer scales of a stage; 0 for none.

        Args:
            stage: Stage, counted from 0.
            value: The user's, which a size without layer scales gets in all
                stages; None for the authors'.
        """
        scaled = self.layer_scale
        if value is None:
            return 1e-6 if scaled[stage] else 0.0
        return value if scaled[stage] or not any(scaled) else 0.0

    def layer_depth(self, name: str) -> int:
        """Depth of a tensor in the network, for layer-wise decay.

        Embedding 1 has depth 0 and the blocks count on from 1; embeddings 2
        to 4 share the depth of the block behind them; norms after the last
        block, heads and everything unknown have the greatest depth.

        Args:
            name: Name in the backbone, e.g. 'blocks3.0.attn.qkv.weight'.
        """
        first, *rest = name.split('.')
        kind, stage = first[:-1], first[-1:]
        if stage in tuple('1234'):
            before = sum(self.depths[: int(stage) - 1])
            if kind == 'patch_embed':
                return before + (stage != '1')
            if kind == 'blocks':
                return before + int(rest[0]) + 1
            if kind == 'norm':
                return sum(self.depths[: int(stage)]) + (stage == '4')
        return sum(self.depths) + 1


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
        unknown = sorted(map(str, set(arch) - set(Arch._fields)))
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


def _is_size(value: Any) -> bool:
    return options.is_integer(value) and value > 0


# What each field with an entry per stage is made of.
PER_STAGE: dict[str, tuple[Callable[[Any], bool], str]] = {
    'depths': (_is_size, 'positive ints'),
    'embed_dims': (_is_size, 'positive ints'),
    'stems': (lambda value: value in ('patch', 'conv'), "'patch' or 'conv'"),
    'layer_scale': (lambda value: isinstance(value, bool), 'bools'),
}


def _check(arch: Arch) -> None:
    for name, (holds, wanted) in PER_STAGE.items():
        values = getattr(arch, name)
        if (
            not isinstance(values, tuple)
            or len(values) != 4
            or not all(map(holds, values))
        ):
            options.refuse(name, values, f'{wanted}, four of them')
    ratio, dims = arch.mlp_ratio, arch.embed_dims
    if not options.is_number(ratio) or min(dims) * ratio < 1:
        options.refuse('mlp_ratio', ratio, f'a number from 1 / {min(dims)} on')
    if arch.stems[0] == 'conv' and dims[0] < 2:
        options.refuse('embed_dims', dims, "2 or more before a 'conv' stem")
    head_dim = options.integer('head_dim', arch.head_dim, 1)
    if dims[2] % head_dim or dims[3] % head_dim:
        options.refuse(
            'head_dim',
            head_dim,
            f'a divisor of embed_dims of stages 3 and 4, {dims[2:]}',
        )
