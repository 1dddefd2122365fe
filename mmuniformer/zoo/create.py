"""Building a published model by its name."""

from collections.abc import Sequence
from typing import Any

from mmengine.config import Config
from torch import nn

from ..errors import UserError
from ..models import UniFormer, UniFormerLight
from ..tasks import TASKS, resolve
from ..weights import load as weights
from ..weights.published import Release
from .classifier import Classifier, Features
from .names import CONFIGS, find_model
from .segmentor import FPN, FPNHead, Segmentor, UPerHead
from .transforms import default_cfg

NETWORKS = {
    'mmuniformer.UniFormer': UniFormer,
    'mmuniformer.UniFormerLight': UniFormerLight,
}
# What a recipe says of training, and what is asked for by arguments here.
TRAINING = ('type', 'init_cfg', 'with_cp', 'drop_path_rate', 'out_indices')


def create_model(
    name: str,
    pretrained: bool | str = False,
    *,
    ndim: int | None = None,
    num_classes: int | None = None,
    in_chans: int = 3,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3),
    drop_rate: float = 0.0,
    drop_path_rate: float = 0.0,
    img_size: int | Sequence[int] | None = None,
    **backbone: Any,
) -> nn.Module:
    """A published model as a plain module of PyTorch.

    Classifiers of pictures and clips give logits, segmentors logits of
    pixels. Of detectors and pose models, whose heads are those of mmdet and
    mmpose, there are the features: they need ``features_only=True``.

    Args:
        name: See :func:`list_models`; also a config or a size.
        pretrained: Load the published weights, or those of this path or URL.
        ndim: 2 for pictures (B, C, H, W), 3 for clips (B, C, T, H, W); by
            default that of the model. Weights of pictures are inflated.
        num_classes: Classes; by default those of the model, 0 for pooled
            features. Other numbers leave out the head of the file.
        in_chans: Channels of the input; the first layer of the weights is
            adapted, see :func:`mmuniformer.weights.transfer.fit_channels`.
        features_only: Return a list of maps.
        out_indices: The stages of these maps, from 0.
        drop_rate: Dropout in front of a classifier.
        drop_path_rate: Stochastic depth, greatest rate.
        img_size: Ignored but for ``default_cfg``: the network takes all sizes.
        backbone: More arguments of the backbone, e.g. ``attention``.

    Raises:
        UserError: There is no such model, or an argument does not fit it.
    """
    release = find_model(name)
    cfg = Config.fromfile(CONFIGS / f'{release.config}.py')
    network = NETWORKS[cfg.model.backbone.type]
    options = {
        key: value
        for key, value in cfg.model.backbone.items()
        if key not in TRAINING
    }
    options.update(backbone, in_channels=in_chans)
    options['drop_path_rate'] = drop_path_rate
    options['ndim'] = ndim or release.ndim
    task = TASKS[release.task]
    if not features_only and not task.builder:
        host = task.host
        raise UserError(
            f'name={name!r}: its head is one of {host}; wanted '
            f'features_only=True, or the config {release.config} in {host}'
        )
    if features_only:
        options.pop('with_cls_token', None)
        stages = tuple(range(4))
        options['out_indices'] = tuple(sorted(stages[i] for i in out_indices))
        model: nn.Module = Features(network(**options), options['out_indices'])
    else:
        options['out_indices'] = (0, 1, 2, 3)
        build = resolve(task.builder)
        model = build(network(**options), cfg.model, num_classes, drop_rate)
    model.default_cfg = default_cfg(release, cfg, img_size)  # type: ignore
    model.pretrained_cfg = model.default_cfg  # timm's name
    if pretrained:
        load(model, release, pretrained)
    return model


def classifier(
    network: Any,
    cfg: Any,
    num_classes: int | None,
    drop_rate: float,
) -> nn.Module:
    """The classifier of a recipe's model."""
    head = cfg.get('head') or cfg.get('cls_head')
    if num_classes is None:
        num_classes = head.num_classes
    tokens = head.type == 'mmuniformer.TokenLabelHead'
    return Classifier(network, num_classes, tokens, drop_rate)


def segmentor(
    network: Any,
    cfg: Any,
    num_classes: int | None,
    drop_rate: float,
) -> nn.Module:
    """The segmentor of a recipe's model."""
    head = cfg.decode_head
    if num_classes is None:
        num_classes = head.num_classes
    dims = [info['num_chs'] for info in network.feature_info]
    if head.type == 'UPerHead':
        return Segmentor(network, UPerHead(dims, head.channels, num_classes))
    channels = cfg.neck.out_channels
    decode = FPNHead(channels, head.channels, num_classes)
    return Segmentor(network, decode, FPN(dims, channels))


def load(model: nn.Module, release: Release, source: bool | str) -> None:
    """Loads the published weights, or others, by the one procedure.

    Args:
        model: What :func:`create_model` has built.
        release: Row of the table.
        source: True for the published file, or a path or URL.
    """
    checkpoint = source if isinstance(source, str) else release.name
    if isinstance(model, Features):
        weights.load(model.backbone, checkpoint)
    else:
        weights.load(model, checkpoint)
