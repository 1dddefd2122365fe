"""Child registries of scope ``mmuniformer``.

A host that meets ``type='mmuniformer.UniFormer'`` imports this module by
itself, so that configs need no ``custom_imports`` to find the backbones.
"""

from mmengine.registry import HOOKS as ROOT_HOOKS
from mmengine.registry import MODELS as ROOT_MODELS
from mmengine.registry import Registry

MODELS = Registry(
    'model',
    parent=ROOT_MODELS,
    scope='mmuniformer',
    locations=['mmuniformer.models'],
)
HOOKS = Registry(
    'hook',
    parent=ROOT_HOOKS,
    scope='mmuniformer',
    locations=['mmuniformer.engine'],
)
