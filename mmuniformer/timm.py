"""``import mmuniformer.timm`` registers the classifiers in timm.

Names are those of :func:`mmuniformer.list_models` for pictures, without
``_in1k`` too: ``timm.create_model('uniformer_small', features_only=True)``.
"""

from collections.abc import Callable
from typing import Any

from timm.models import register_model
from torch import nn

from .zoo.create import create_model
from .zoo.names import aliases

# Arguments of timm's own factory that a model does not see.
_FACTORY = (
    'pretrained_cfg', 'pretrained_cfg_overlay', 'cache_dir', 'feature_cls',
)  # fmt: skip


def _entry_point(name: str) -> Callable[..., nn.Module]:
    def build(pretrained: bool = False, **kwargs: Any) -> nn.Module:
        for key in _FACTORY:
            kwargs.pop(key, None)
        pool = kwargs.pop('global_pool', None)
        model: Any = create_model(name, pretrained, **kwargs)
        if pool is not None and not kwargs.get('features_only'):
            if pool != model.global_pool:
                model.reset_classifier(model.num_classes, pool)
        return model

    build.__name__ = build.__qualname__ = name
    build.__module__ = __name__
    build.__doc__ = f'The classifier {name}, see mmuniformer.create_model.'
    return build


__all__: list[str] = []
for _name, _release in aliases().items():
    if _release.task == 'cls':
        globals()[_name] = register_model(_entry_point(_name))
