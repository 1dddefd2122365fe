"""The rows of a comparison: models of this project and their peers."""

import importlib.util
import inspect
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..errors import UserError
from ..fast.fusion import fuse
from ..models.uniformer_light import UniFormerLight
from ..zoo.create import NETWORKS
from .plain_uniformer import PlainUniFormer
from .scores import (
    Published,
    find_entry,
    of_entry,
    of_timm,
    of_torchvision,
)

OURS = ('eager', 'fused', 'half', 'int8', 'compiled', 'half compiled')
PEERS = ('peer', 'best')  # as it comes, and at its best
SAME_WEIGHTS = ('plain', *OURS, 'mmaction')  # the first is the reference
CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}
LIBRARIES = ('mmpretrain', 'mmaction', 'timm', 'torchvision')


class Row(NamedTuple):
    """One model of the comparison; it can be sent to another process.

    Attributes:
        subject: Size, config or peer that is measured.
        variant: How it is computed: a member of ``SAME_WEIGHTS`` or ``PEERS``,
            or 'plain compiled'.
        backbone: Arguments of our backbone; for a peer of a file, too.
        shape: (H, W) or (T, H, W) of the input.
        published: Accuracy.
    """

    subject: str
    variant: str
    backbone: dict[str, Any]
    shape: tuple[int, ...]
    published: Published = Published()

    @property
    def name(self) -> str:
        """Name in the tables."""
        if self.variant in PEERS:
            return self.subject + ' at its best' * (self.variant == 'best')
        variant = self.variant
        return f'{self.subject} {"ours " * (variant in OURS)}{variant}'


def build(
    row: Row, training: bool = False, dtype: torch.dtype = torch.float32
) -> nn.Module:
    """Builds the model of a row, on the CPU, not yet compiled.

    All rows of a subject have the same weights. Models of libraries come
    without their classifiers, but for those of torchvision.

    Raises:
        UserError: The model does not exist, or cannot be built.
    """
    model: Any
    if row.variant in PEERS:
        model = build_peer(row.subject.partition('@')[0], row.backbone)
    else:
        model = build_ours(row.backbone)
    if row.variant.startswith('plain'):
        model = PlainUniFormer(model)
    if row.variant == 'mmaction':
        model = in_mmaction(model)
    model.to(dtype)
    model.train(training)  # in some peers it returns nothing
    if row.variant == 'best':
        model = at_best(model)
    if row.variant in OURS[1:] and not training:
        fuse(model)
    return model


def build_ours(backbone: dict[str, Any]) -> Any:
    """Our backbone, with weights that leave no layer without an effect."""
    torch.manual_seed(0)
    kwargs = dict(backbone)
    model = NETWORKS[kwargs.pop('type')](**kwargs)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, (_BatchNorm, nn.LayerNorm)):
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.normal_(module.bias, std=0.1)
            if isinstance(module, _BatchNorm):
                assert module.running_mean is not None
                assert module.running_var is not None
                module.running_mean.normal_(std=0.1)
                module.running_var.uniform_(0.5, 1.5)
        for name, parameter in model.named_parameters():
            if 'gamma' in name:
                nn.init.uniform_(parameter, 0.1, 0.5)
    return model


def in_mmaction(model: Any) -> nn.Module:
    """mmaction2's own UniFormer with the weights of ours.

    Its LayerNorms have another eps, so outputs agree but nearly.

    Raises:
        UserError: mmaction2 lacks this kind of model.
    """
    from mmaction.models.backbones.uniformer import UniFormer as Theirs

    arch = model.arch
    if (
        model.ndim != 3
        or model.dense
        or isinstance(model, UniFormerLight)
        or 'conv' in arch.stems
        or any(arch.layer_scale)
        or model.out_indices != (3,)
    ):
        raise UserError(
            '--peer=mmaction: mmaction2 has S and B for video only; wanted '
            "--ndim 3 and --arch s or b, or 'mmaction:NAME'"
        )
    theirs = Theirs(
        depth=list(arch.depths),
        embed_dim=list(arch.embed_dims),
        head_dim=arch.head_dim,
        mlp_ratio=arch.mlp_ratio,
        init_cfg=None,
    )
    theirs.load_state_dict(model.state_dict())
    return theirs


def find_peer(text: str) -> Published:
    """Checks the name of a peer, and tells what is published of it.

    Raises:
        UserError: It is unknown; the message says what was wanted.
    """
    library, _, name = text.partition(':')
    if text.endswith('.py') or '.py:' in text:
        peer_class(text)
        return Published()
    if library not in LIBRARIES or not name:
        raise UserError(
            f'--peer={text!r}: wanted plain, mmaction, LIBRARY:NAME with one '
            f'of {", ".join(LIBRARIES)}, or path/to/file.py:Class'
        )
    if library == 'timm':
        import timm

        if not timm.is_model(name):
            raise UserError(f'--peer={text!r}: timm has no such model')
        return of_timm(name)
    if library == 'torchvision':
        import torchvision

        if name not in torchvision.models.list_models():
            raise UserError(f'--peer={text!r}: torchvision has no such model')
        return of_torchvision(name)
    entry = find_entry(library, name)
    return of_entry(entry, Config.fromfile(entry['Config']))


def build_peer(text: str, backbone: dict[str, Any]) -> nn.Module:
    """Builds a peer by its name; see :func:`find_peer`."""
    library, _, name = text.partition(':')
    if library == 'timm':
        import timm

        return timm.create_model(name, pretrained=False, num_classes=0)
    if library == 'torchvision':
        import torchvision

        kwargs = (
            dict(init_weights=False)  # else minutes of truncated normals
            if name in ('googlenet', 'inception_v3')
            else {}
        )
        return torchvision.models.get_model(name, weights=None, **kwargs)
    if library in LIBRARIES:
        entry = find_entry(library, name)
        cfg = Config.fromfile(entry['Config']).model.backbone
        cfg.pop('init_cfg', None)
        cfg.pop('pretrained', None)
        registry = importlib.import_module(f'{library}.registry')
        importlib.import_module(f'{library}.models')
        init_default_scope(library)
        return registry.MODELS.build(cfg)
    return from_file(text, backbone)


def at_best(model: nn.Module) -> nn.Module:
    """A peer's branches joined (timm), its weights channels-last.

    It is compiled later, with constant weights, which folds its norms.
    """
    if type(model).__module__.startswith('timm.'):
        from timm.utils import reparameterize_model

        model = reparameterize_model(model)
    for parameter in model.parameters():
        if parameter.ndim in CHANNELS_LAST:
            layout = CHANNELS_LAST[parameter.ndim]
            parameter.data = parameter.data.contiguous(memory_format=layout)
    return model


def peer_class(text: str) -> Any:
    """The class that path/to/file.py:Class names."""
    path, _, name = text.rpartition(':')
    if not path or not Path(path).is_file():
        raise UserError(
            f'--peer={text!r}: no such file; wanted path/to/file.py:Class'
        )
    spec: Any = importlib.util.spec_from_file_location(Path(path).stem, path)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UserError(
            f'--peer={text!r}: {path} fails when it is imported: '
            f'{type(error).__name__}: {error}'
        ) from error
    if not isinstance(getattr(module, name, None), type):
        raise UserError(f'--peer={text!r}: {path} has no class {name!r}')
    return getattr(module, name)


def from_file(text: str, backbone: dict[str, Any]) -> nn.Module:
    """Builds a class with those arguments of our backbone that it takes.

    If its parameters have the names and shapes of ours, it gets the values
    of ours, too.
    """
    kind = peer_class(text)
    kwargs = {k: v for k, v in backbone.items() if k != 'type'}
    known = inspect.signature(kind).parameters
    if all(p.kind != p.VAR_KEYWORD for p in known.values()):
        kwargs = {k: v for k, v in kwargs.items() if k in known}
    missing = [
        name
        for name, p in known.items()
        if p.default is p.empty
        and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
        and name not in kwargs
    ]
    if missing:
        raise UserError(
            f'--peer={text!r}: its argument {missing[0]!r} has no default '
            f'and is none of our backbone ({", ".join(backbone)})'
        )
    try:
        model = kind(**kwargs)
    except Exception as error:
        raise UserError(
            f'--peer={text!r}: cannot be built with {kwargs}: '
            f'{type(error).__name__}: {error}'
        ) from error
    ours = build_ours(backbone).state_dict()
    theirs = model.state_dict()
    if {k: v.shape for k, v in ours.items()} == {
        k: v.shape for k, v in theirs.items()
    }:
        model.load_state_dict(ours)
    return model
