"""Layer-wise decay of the learning rate, in every host."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, cast

from mmengine.optim import build_optim_wrapper
from torch import nn

from ..errors import UserError
from ..registry import OPTIM_WRAPPER_CONSTRUCTORS
from .param_groups import Group, MergedGroups

# Those of mmengine's constructor, and ours.
KNOWN = (
    'layer_decay_rate',
    'custom_keys',
    'bias_lr_mult',
    'bias_decay_mult',
    'norm_decay_mult',
    'dwconv_decay_mult',
    'flat_decay_mult',
    'dcn_offset_lr_mult',
    'bypass_duplicate',
)
Depth = Callable[[str], tuple[int, int]]


class Layer(NamedTuple):
    """A line of the table of rates.

    Attributes:
        depth: Its place, counted from the input; the last has the heads.
        rate: The smallest learning rate of its tensors.
        highest: The greatest one.
        tensors: How many tensors it has.
        values: How many numbers they have.
        first: Name of its first tensor.
    """

    depth: int
    rate: float
    highest: float
    tensors: int
    values: int
    first: str


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class LayerDecay(MergedGroups):
    """Lower rates towards the input, as BEiT and its successors fine-tune.

    The hosts' own constructors know their ViT and ConvNeXt by name: they
    raise for UniFormer or, in mmpose, give all its blocks the full rate. This
    one asks the backbone, whose ``get_layer_depth`` gives the first embedding
    depth 0, each block the next one, and all behind the blocks the last one,
    which has the full rate::

        optim_wrapper = dict(
            constructor='mmuniformer.LayerDecay',
            paramwise_cfg=dict(layer_decay_rate=0.75),
        )

    Everything else in ``paramwise_cfg`` is as in mmengine; the factors of
    ``custom_keys`` and ``bias_lr_mult`` multiply those of the layers.

    Args:
        optim_wrapper_cfg: Config of the wrapper and of its optimizer, with
            a learning rate.
        paramwise_cfg: ``layer_decay_rate``, the factor from each layer to
            the one before it, and mmengine's rules.

    Raises:
        UserError: ``paramwise_cfg`` lacks the rate, or it is not in (0, 1],
            or something is unknown, or the optimizer has no rate, or no part
            of the model has a ``get_layer_depth``.
    """

    def __init__(
        self,
        optim_wrapper_cfg: dict[str, Any],
        paramwise_cfg: dict[str, Any] | None = None,
    ) -> None:
        rules = paramwise_cfg or {}
        unknown = sorted(set(rules) - set(KNOWN))
        if unknown:
            raise UserError(
                f'paramwise_cfg: LayerDecay does not know '
                f'{", ".join(map(repr, unknown))}; wanted {", ".join(KNOWN)} '
                f'(it counts the layers itself)'
            )
        rate = rules.get('layer_decay_rate')
        if (
            not isinstance(rate, (int, float))
            or isinstance(rate, bool)
            or not 0 < rate <= 1
        ):
            raise UserError(
                f'layer_decay_rate={rate!r}: wanted 0 < rate <= 1 in '
                f'paramwise_cfg'
            )
        self.rate = rate
        super().__init__(optim_wrapper_cfg, paramwise_cfg)
        if self.base_lr is None:
            raise UserError(
                'lr=None: LayerDecay wants a learning rate in '
                'optim_wrapper.optimizer'
            )

    def adjust(self, singles: list[Group], model: nn.Module) -> None:
        """Multiplies each tensor's rate by the factor of its layer."""
        depth_of = layer_depths(model)
        names = {id(p): name for name, p in model.named_parameters()}
        for single in singles:
            depth, count = depth_of(names[id(single['params'][0])])
            factor = self.rate ** (count - 1 - depth)
            rate = single.get('lr', self.base_lr)
            single['lr'] = cast(float, rate) * factor


def layer_depths(model: nn.Module) -> Depth:
    """A function from a tensor's name to its depth and their number.

    Args:
        model: One with a part that has ``get_layer_depth``, its backbone.

    Raises:
        UserError: There is none, or there are several.
    """
    backbones = {
        f'{name}.' if name else '': module
        for name, module in model.named_modules()
        if _is_backbone(module)
    }
    # A host's classifier passes the question on to its backbone.
    if len(backbones) > 1:
        backbones.pop('', None)
    if len(backbones) != 1:
        raise UserError(
            f'model={type(model).__name__}: LayerDecay wants one part with '
            f'get_layer_depth, as UniFormer has it; found '
            f'{", ".join(backbones) or "none"}'
        )
    ((prefix, backbone),) = backbones.items()
    return lambda name: backbone.get_layer_depth(name, prefix)


def _is_backbone(module: nn.Module) -> bool:
    return callable(getattr(module, 'get_layer_depth', None))


def rates_by_layer(
    model: nn.Module, optim_wrapper: dict[str, Any]
) -> Iterator[Layer]:
    """The learning rates of a model, layer by layer.

    Args:
        model: Model, on any device.
        optim_wrapper: That of a config, with any constructor.
    """
    built = build_optim_wrapper(model, optim_wrapper)
    rates = {
        id(p): group['lr']
        for group in built.optimizer.param_groups
        for p in group['params']
    }
    depth_of = layer_depths(model)
    layers: dict[int, list[tuple[str, nn.Parameter]]] = {}
    for name, parameter in model.named_parameters():
        if id(parameter) in rates:
            layers.setdefault(depth_of(name)[0], []).append((name, parameter))
    for depth, members in sorted(layers.items()):
        own = [rates[id(p)] for _, p in members]
        values = sum(p.numel() for _, p in members)
        first = members[0][0]
        yield Layer(depth, min(own), max(own), len(own), values, first)
