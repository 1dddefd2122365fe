"""What a config says of its model."""

from collections.abc import Iterator
from typing import Any

from mmengine.registry import TRANSFORMS

from .datasets import flat_steps, full_name, resolve, type_name

# Heads with one output per class of the data, where they are in models.
HEADS = (
    'head', 'cls_head', 'bbox_head', 'mask_head', 'decode_head',
    'auxiliary_head', 'data_preprocessor', 'blending', 'augments',
)  # fmt: skip
# Their classes are words of a text, not a list.
OPEN_HEADS = ('GroundingDINOHead', 'ATSSVLFusionHead', 'YOLOWorldHead')
# Heads with one output per joint: the option that says how many.
JOINT_HEADS = {
    'HeatmapHead': 'out_channels',
    'SimCCHead': 'out_channels',
    'RTMCCHead': 'out_channels',
    'CPMHead': 'out_channels',
    'MSPNHead': 'out_channels',
    'ViPNASHead': 'out_channels',
    'RegressionHead': 'num_joints',
    'RLEHead': 'num_joints',
    'IntegralRegressionHead': 'num_joints',
    'DSNTHead': 'num_joints',
}
# Detectors' heads that give boxes and nothing else.
BOX_HEADS = (
    'RetinaHead', 'RetinaSepBNHead', 'FCOSHead', 'ATSSHead', 'GFLHead',
    'YOLOXHead', 'RTMDetHead', 'RTMDetSepBNHead', 'DETRHead', 'DINOHead',
    'DeformableDETRHead', 'SSDHead', 'CenterNetHead', 'PAAHead', 'VFNetHead',
)  # fmt: skip
OURS = ('mmpose', 'mmcv', 'mmengine', 'mmuniformer', 'mmdet')
# Transforms that have one which packs among their options.
PACKERS = ('MultiBranch', 'TestTimeAug')
LIBRARIES = (*OURS, 'mmseg', 'mmpretrain', 'mmaction', 'torchvision')
# Transforms that change the set of joints.
CONVERTERS = ('KeypointConverter', 'SingleHandConverter')


def parts(cfg: Any, name: str = 'model') -> Iterator[tuple[str, str, Any]]:
    """Name, key and config of each part of a model, however deep."""
    for key, value in cfg.items() if isinstance(cfg, dict) else ():
        inner = {f'{name}.{key}': value}
        if isinstance(value, (list, tuple)):
            inner = {f'{name}.{key}.{i}': v for i, v in enumerate(value)}
        for option, part in inner.items():
            if isinstance(part, dict):
                yield option, key, part
                yield from parts(part, option)


def class_counts(model: Any) -> Iterator[tuple[str, int]]:
    """Option and value of each head's num_classes."""
    for option, key, part in parts(model):
        open_set = type_name(part) in OPEN_HEADS
        if key not in HEADS or 'num_classes' not in part or open_set:
            continue
        if not part.get('class_agnostic'):
            yield f'{option}.num_classes', part['num_classes']


def joint_counts(model: Any) -> Iterator[tuple[str, int]]:
    """Option and number of joints of each pose head."""
    for option, key, part in parts(model):
        name = JOINT_HEADS.get(type_name(part), '')
        if key == 'head' and isinstance(part.get(name), int):
            # Heat maps and two maps of offsets.
            udp = (part.get('decoder') or {}).get('heatmap_type')
            maps = 3 if udp == 'combined' else 1
            yield f'{option}.{name}', part[name] // maps


def converted_joints(steps: Iterator[dict[str, Any]]) -> int | None:
    """Joints after the last converter of a pipeline; None without one."""
    joints = None
    for step in steps:
        if type_name(step) in CONVERTERS:
            joints = step.get('num_keypoints')
    return joints


def keeps_joints(step: dict[str, Any], scope: str | None) -> bool:
    """Whether a transform is of a library, not one of the user's own."""
    kind = resolve(TRANSFORMS, step.get('type'), scope)
    if kind is None or type_name(step) in CONVERTERS:
        return False
    return full_name(kind).partition('.')[0] in OURS


def packs(steps: list[dict[str, Any]], scope: str | None) -> bool:
    """Whether a pipeline ends in what models take, as far as is known."""
    for step in steps:
        kind = resolve(TRANSFORMS, step.get('type'), scope)
        name = full_name(kind) if isinstance(kind, type) else ''
        package, _, name = name.partition('.')
        if package not in LIBRARIES or 'Pack' in name or name in PACKERS:
            return True
    return not steps


def masks(model: Any) -> bool:
    """Whether a detector learns masks from the annotations."""
    return any(key == 'mask_head' for _, key, _ in parts(model))


def only_boxes(model: Any) -> bool:
    """Whether a detector is known to give no masks."""
    if masks(model):
        return False
    keys = {key: part for _, key, part in parts(model)}
    if 'roi_head' in keys:
        return type_name(keys['roi_head']) in (
            'StandardRoIHead', 'CascadeRoIHead', 'DoubleHeadRoIHead',
            'DynamicRoIHead',
        )  # fmt: skip
    return type_name(keys.get('bbox_head')) in BOX_HEADS


def has_step(cfg: Any, *names: str) -> dict[str, Any] | None:
    """The first transform of a data set that has one of these names."""
    for step in flat_steps(cfg.get('pipeline')):
        if type_name(step) in names:
            return step
    return None
