"""Answers to defects of the libraries that this project stands on.

One small file per defect, which gives the reason and the upstream issue. Each
answer applies only where its defect is present. ``install`` registers import
hooks and imports nothing, so that it costs nothing where no host is used; an
answer that applies says so at debug level in the log ``mmuniformer.compat``.
"""

from . import (
    _hooks,
    amp_without_gpu,
    checkpoint_hook,
    new_transformers,
    own_configs,
    package_paths,
    safe_checkpoints,
    spawned_workers,
    unnamed_images,
    unnamed_label_maps,
    whole_files,
)

_STAND_INS = {
    'mmcv._ext': 'mmuniformer.compat.mmcv_ext',
    'mmaction.models.localizers.drn': 'mmuniformer.compat.mmaction_drn',
    'mmaction.models.localizers.drn.drn': 'mmuniformer.compat.mmaction_drn',
    'xtcocotools': 'mmuniformer.compat.xtcoco',
    'xtcocotools.coco': 'mmuniformer.compat.xtcoco',
    'xtcocotools.cocoeval': 'mmuniformer.compat.xtcoco',
    'xtcocotools.mask': 'pycocotools.mask',
    'xtcocotools._mask': 'pycocotools._mask',
}
_CALLBACKS = {
    'mmcv.transforms.loading': unnamed_images.apply,
    'mmengine.fileio.backends.local_backend': whole_files.apply,
    'mmengine.hooks.checkpoint_hook': checkpoint_hook.apply,
    'mmengine.config.utils': own_configs.apply,
    'mmengine.utils.package_utils': package_paths.apply,
    'mmengine.optim': amp_without_gpu.apply,
    'mmengine.runner.checkpoint': safe_checkpoints.apply,
    'mmseg.datasets.transforms.loading': unnamed_label_maps.apply,
    'mmpretrain.utils.dependency': new_transformers.apply,
    'mmaction.utils.dependency': new_transformers.apply,
}
_installed = False


def install() -> None:
    """Registers all answers; a second call does nothing."""
    global _installed
    if _installed:
        return
    _installed = True
    _hooks.activate()
    for name, target in _STAND_INS.items():
        _hooks.stand_in(name, target)
    for name, function in _CALLBACKS.items():
        _hooks.after_import(name, function)
    spawned_workers.apply(install)
