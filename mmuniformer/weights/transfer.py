"""Weights from one form into another: names, rank, class lists.

Pure functions from dicts to dicts. The common form has the authors' names and
no ``backbone.`` before those of the backbone; see ``HEADS`` for the heads.
Detectors and segmentors have the same names everywhere.
"""

import re
from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor

from ..errors import UserError
from ..tasks import TASKS
from .files import Shapes

State = dict[str, Tensor]

# Names of a backbone's own tensors: a file that lacks one of them, or has one
# more, is the file of another backbone.
BODY = re.compile(r'(patch_embed|blocks)[1-4]\.|cls_(token|upsample)\b')
# The layer that sees the picture.
FIRST = re.compile(r'patch_embed1\.proj(\.0)?\.weight')
# Norms on what is emitted. A dense model starts with new ones; a model of
# another task leaves out those of the file.
NORMS = re.compile(r'norm[1-4]?\.|norm_cls\.')
BACKBONE = re.compile(f'{BODY.pattern}|{NORMS.pattern}')
# Heads of the authors' classifiers: patch features, the class token of the
# light models, the tokens of token labeling.
CLASSIFIERS = ('head.', 'head_cls.', 'aux_head.')
# The authors' names and those of each host.
HEADS = {task.project: task.heads for task in TASKS.values()}
OFFICIAL = {new: old for heads in HEADS.values() for old, new in heads.items()}
INFLATE = ('average', 'centre')
# Kernel in time of the video models; 1 where no pattern fits.
KERNELS = {
    r'.*pos_embed\.weight': 3,
    r'.*blocks[12]\.\d+\.attn\.weight': 5,
    r'.*patch_embed1\.proj(\.\d)?\.weight': 3,
}


def _rename(name: str, table: Mapping[str, str]) -> str:
    for old, new in table.items():
        if name.startswith(old):
            return new + name.removeprefix(old)
    return name


def common_name(name: str) -> str:
    """A tensor's name in the common form."""
    return _rename(name.removeprefix('backbone.'), OFFICIAL)


def _host_name(name: str, host: str) -> str:
    if BACKBONE.match(name):
        return f'backbone.{name}'
    return _rename(name, HEADS[host])


def to_host(state: Mapping[str, Tensor], host: str) -> State:
    """Renames weights for a host.

    Args:
        state: Tensors by the authors' names or those of any host.
        host: A key of ``HEADS``, or 'official'.
    """
    common = {common_name(name): value for name, value in state.items()}
    if host != 'official':
        return {_host_name(name, host): v for name, v in common.items()}
    # Classifiers are bare, other models have a `backbone.`.
    if all(BACKBONE.match(n) or n.startswith(CLASSIFIERS) for n in common):
        return common
    return {_host_name(name, 'mmdet'): v for name, v in common.items()}


def to_model(state: Mapping[str, Tensor], own: Collection[str]) -> State:
    """Renames weights for a model.

    Of all ways to name them the one that fits the model best is taken. What
    the model does not have keeps its name.

    Args:
        state: Tensors by the authors' names or those of any host.
        own: Names of the model's tensors.

    Raises:
        UserError: Two tensors have one name in the model.
    """
    common = {name: common_name(name) for name in state}
    ways = [common] + [
        {name: _host_name(c, host) for name, c in common.items()}
        for host in HEADS
    ]
    best = max(ways, key=lambda way: sum(n in own for n in way.values()))
    done: State = {}
    for name, value in state.items():
        new = name if name in own or best[name] not in own else best[name]
        if new in done:
            raise UserError(f'two of its tensors are {new} of the model')
        done[new] = value
    return done


def fit_channels(state: Mapping[str, Tensor], own: Shapes) -> State:
    """Fits the first layer to pictures of another number of channels.

    The rule of timm (``adapt_input_conv``): one channel gets the sum of the
    file's; more of them get the file's in turn, scaled by old / new so that
    outputs keep their size.

    Args:
        state: Tensors by the model's names.
        own: Shapes of the model's tensors.
    """
    done = dict(state)
    for name, value in state.items():
        shape = own.get(name, ())
        if not FIRST.match(common_name(name)) or len(shape) < 4:
            continue
        if value.ndim < 2:
            continue
        old, new = value.shape[1], shape[1]
        if old == new or value.shape[0] != shape[0]:
            continue
        if new == 1:
            done[name] = value.sum(1, keepdim=True)
        else:
            order = [i % old for i in range(new)]
            done[name] = value[:, order] * (old / new)
    return done


def check_inflate(mode: str) -> None:
    """Raises UserError unless it is a member of ``INFLATE``."""
    if mode not in INFLATE:
        raise UserError(
            f'inflate={mode!r}: wanted one of {", ".join(INFLATE)}'
        )


def inflate(
    state: Mapping[str, Tensor], own: Shapes, mode: str = 'average'
) -> State:
    """Adds the time axis to image weights where a video model has one.

    Args:
        state: Tensors by the model's names.
        own: Shapes of the model's tensors.
        mode: 'average': repeat in time and divide by the length (the rule of
            the authors); 'centre': the middle frame has all the weight.
    """
    check_inflate(mode)
    done = dict(state)
    for name, value in state.items():
        shape = own.get(name, ())
        if len(shape) < 4 or value.shape != (*shape[:2], *shape[3:]):
            continue
        if mode == 'average':
            done[name] = value.unsqueeze(2).expand(shape) / shape[2]
        else:
            done[name] = value.new_zeros(shape)
            done[name][:, :, shape[2] // 2] = value
    return done


def fitted_channels(state: State, done: State) -> list[str]:
    """What :func:`fit_channels` did, in words, if anything."""
    return [
        f'{name}: from {value.shape[1]} to {done[name].shape[1]} channels'
        for name, value in state.items()
        if done[name] is not value
    ]


def inflated(flat: State, done: State, mode: str) -> list[str]:
    """What :func:`inflate` did, in words, if anything."""
    count = sum(done[name] is not value for name, value in flat.items())
    return [f'inflated: {count} ({mode})'] if count else []


def video_shapes(state: Mapping[str, Tensor]) -> Shapes:
    """Shapes that the weights of an image model have in a video model."""
    done = {}
    for name, value in state.items():
        shape = tuple(value.shape)
        if value.ndim == 4 and BACKBONE.match(common_name(name)):
            fits = (k for p, k in KERNELS.items() if re.fullmatch(p, name))
            shape = (*shape[:2], next(fits, 1), *shape[2:])
        done[name] = torch.Size(shape)
    return done


def drop_other_classes(
    state: Mapping[str, Tensor], own: Shapes
) -> tuple[State, list[str]]:
    """Leaves out the layers of heads that are for another number of classes.

    Args:
        state: Tensors by the model's names.
        own: Shapes of the model's tensors.

    Returns:
        The other tensors, and the layers with both numbers as readable lines.
    """
    dropped = {}
    for name, value in state.items():
        shape = own.get(name, value.shape)
        if (
            value.shape != shape
            and value.shape[1:] == shape[1:]
            and not BACKBONE.match(common_name(name))
        ):
            layer = name.rpartition('.')[0]
            dropped[layer] = (
                f'{layer} ({len(value)} outputs in the file, {shape[0]} in '
                f'the model)'
            )
    kept = {
        name: value
        for name, value in state.items()
        if name.rpartition('.')[0] not in dropped
    }
    return kept, list(dropped.values())


def reorder_classes(
    state: Mapping[str, Tensor], order: Sequence[int]
) -> State:
    """Permutes the rows of classifiers.

    Args:
        state: Tensors by the authors' names or those of any host.
        order: For each new class its number in the file.
    """
    index = torch.as_tensor(order)
    return {
        name: value[index]
        if common_name(name).startswith(CLASSIFIERS)
        else value
        for name, value in state.items()
    }


def may_be_integers(state: Mapping[str, Tensor]) -> list[str]:
    """Names of tensors that need not be floats: counters, and of others."""
    return [
        name
        for name in state
        if name.endswith('num_batches_tracked')
        or not BACKBONE.match(common_name(name))
    ]


def backbone_only(state: Mapping[str, Tensor]) -> State:
    """Leaves out all heads and necks."""
    return {
        name: value
        for name, value in state.items()
        if BACKBONE.match(common_name(name))
    }
