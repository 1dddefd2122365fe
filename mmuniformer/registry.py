"""Child registries of scope ``mmuniformer``.

A host that meets ``type='mmuniformer.UniFormer'`` imports this module by
itself, so that configs need no ``custom_imports`` to find the backbones.
"""

from importlib import import_module
from typing import Any

from mmengine.registry import DATASETS as ROOT_DATASETS
from mmengine.registry import HOOKS as ROOT_HOOKS
from mmengine.registry import METRICS as ROOT_METRICS
from mmengine.registry import MODELS as ROOT_MODELS
from mmengine.registry import (
    OPTIM_WRAPPER_CONSTRUCTORS as ROOT_OPTIM_WRAPPER_CONSTRUCTORS,
)
from mmengine.registry import PARAM_SCHEDULERS as ROOT_PARAM_SCHEDULERS
from mmengine.registry import TRANSFORMS as ROOT_TRANSFORMS
from mmengine.registry import VISUALIZERS as ROOT_VISUALIZERS
from mmengine.registry import Registry

# Classes that need a host library, and where they are.
_HEADS = 'mmuniformer.hosts.mmpretrain.heads'
_PICTURES = 'mmuniformer.hosts.mmpretrain.pictures'
_DET = 'mmuniformer.hosts.mmdet.transforms'
_SEG = 'mmuniformer.hosts.mmseg.transforms'
HOSTED = {
    'ClipDataset': 'mmuniformer.hosts.mmaction.datasets',
    'FrameDataset': 'mmuniformer.hosts.mmaction.datasets',
    'ShardDataset': 'mmuniformer.hosts.mmpretrain.shards',
    'DecordInit': 'mmuniformer.hosts.mmaction.readers',
    'ClsDataPreprocessor': 'mmuniformer.hosts.mmpretrain.preprocess',
    'ClipVisualizationHook': 'mmuniformer.hosts.mmaction.pictures',
    'ClipMix': 'mmuniformer.hosts.mmaction.mix',
    'KeepDecoded': 'mmuniformer.engine.kept_pictures',
    'LightClsHead': _HEADS,
    'LoadAnnotations': _DET,
    'PackDetInputs': _DET,
    'RandomCrop': _SEG,
    'PhotoMetricDistortion': _SEG,
    'TopdownAffine': 'mmuniformer.hosts.mmpose.transforms',
    'LoadImageFromFile': _PICTURES,
    'PackInputs': _PICTURES,
    'RandomFlip': _PICTURES,
    'RandomResizedCrop': _PICTURES,
    'LightVideoHead': 'mmuniformer.hosts.mmaction.heads',
    'PeopleVisualizationHook': 'mmuniformer.hosts.mmpose.pictures',
    'SegVisualizer': 'mmuniformer.hosts.mmseg.pictures',
    'TokenLabelClassifier': _HEADS,
    'TokenLabelHead': _HEADS,
}


class HostRegistry(Registry):
    """A registry that imports a host library only where a class needs it.

    Whatever class is asked for, all ``locations`` of a registry are imported.
    The modules of ``HOSTED`` import hosts: each is imported when one of its
    own classes is asked for.
    """

    def get(self, key: str) -> Any:
        """The class of this name, with or without the scope before it."""
        name = key.removeprefix(f'{self.scope}.')
        if name in HOSTED:
            import_module(HOSTED[name])
            if name in self._module_dict:  # no need of other hosts
                return self._module_dict[name]
        return super().get(key)


MODELS = HostRegistry(
    'model',
    parent=ROOT_MODELS,
    scope='mmuniformer',
    locations=[
        'mmuniformer.models.uniformer',
        'mmuniformer.models.uniformer_light',
        'mmuniformer.engine.averaging',
    ],
)
HOOKS = HostRegistry(
    'hook',
    parent=ROOT_HOOKS,
    scope='mmuniformer',
    locations=['mmuniformer.engine'],
)
METRICS = Registry(
    'metric',
    parent=ROOT_METRICS,
    scope='mmuniformer',
    locations=['mmuniformer.engine.dump'],
)
TRANSFORMS = HostRegistry(
    'transform',
    parent=ROOT_TRANSFORMS,
    scope='mmuniformer',
    locations=[
        'mmuniformer.hosts.mmaction.clips',
        'mmuniformer.hosts.mmaction.sampling',
        'mmuniformer.hosts.mmaction.views',
        'mmuniformer.hosts.mmpose.augment',
        'mmuniformer.hosts.mmpretrain.transforms',
        'mmuniformer.hosts.mmpretrain.token_transforms',
    ],
)
DATASETS = HostRegistry('dataset', parent=ROOT_DATASETS, scope='mmuniformer')
PARAM_SCHEDULERS = Registry(
    'parameter scheduler',
    parent=ROOT_PARAM_SCHEDULERS,
    scope='mmuniformer',
    locations=['mmuniformer.engine'],
)
OPTIM_WRAPPER_CONSTRUCTORS = Registry(
    'optimizer wrapper constructor',
    parent=ROOT_OPTIM_WRAPPER_CONSTRUCTORS,
    scope='mmuniformer',
    locations=['mmuniformer.engine'],
)
VISUALIZERS = HostRegistry(
    'visualizer', parent=ROOT_VISUALIZERS, scope='mmuniformer'
)
