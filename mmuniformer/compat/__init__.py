"""Answers to defects of the libraries that this project stands on.

One small file per defect, which gives the reason and the upstream issue. Each
answer applies only where its defect is present. ``install``, which importing
``mmuniformer`` calls, registers import hooks and imports nothing, so that it
costs nothing where no host is used; an answer that applies says so at debug
level in the log ``mmuniformer.compat``. With ``MMUNIFORMER_COMPAT=0`` in the
environment there are none. ``for_tools`` has what is no defect of anyone;
``old_torch`` has what PyTorch 2.1 to 2.5 lack.
"""

import os

from . import (
    _hooks,
    amp_without_gpu,
    checkpoint_hook,
    coco_optional_fields,
    hidden_folders,
    http_files,
    many_channels,
    new_transformers,
    objects_without_mask,
    own_configs,
    package_paths,
    regions_in_single,
    safe_checkpoints,
    short_keys,
    tar_files,
    whole_files,
    yapf_cache,
)

_STAND_INS = {
    'mmcv._ext': 'mmuniformer.compat.mmcv_ext',
    'mmaction.models.localizers.drn': 'mmuniformer.compat.mmaction_drn',
    'mmaction.models.localizers.drn.drn': 'mmuniformer.compat.mmaction_drn',
    'mmpose.models.heads.hybrid_heads.rtmo_head': (
        'mmuniformer.compat.mmpose_rtmo'
    ),
    'xtcocotools': 'mmuniformer.compat.xtcoco',
    'xtcocotools.coco': 'mmuniformer.compat.xtcoco',
    'xtcocotools.cocoeval': 'mmuniformer.compat.xtcoco',
    'xtcocotools.mask': 'pycocotools.mask',
    'xtcocotools._mask': 'pycocotools._mask',
}
_CALLBACKS = {
    'mmengine.dataset.base_dataset': tar_files.apply_to_datasets,
    'mmengine.fileio': tar_files.apply,
    'mmengine.fileio.backends.http_backend': http_files.apply,
    'mmengine.fileio.backends.local_backend': whole_files.apply,
    'mmengine.hooks.checkpoint_hook': checkpoint_hook.apply,
    'mmengine.config': short_keys.apply,
    'mmengine.config.utils': own_configs.apply,
    'mmengine.utils.package_utils': package_paths.apply,
    'mmengine.model.base_model.data_preprocessor': many_channels.apply,
    'mmengine.optim': amp_without_gpu.apply,
    'mmengine.runner.checkpoint': safe_checkpoints.apply,
    'mmdet.datasets.transforms.loading': objects_without_mask.apply_to_loading,
    'mmdet.models.roi_heads.mask_heads.fcn_mask_head': (
        objects_without_mask.apply_to_head
    ),
    'mmdet.models.roi_heads.roi_extractors.single_level_roi_extractor': (
        regions_in_single.apply
    ),
    'mmpretrain.datasets.custom': hidden_folders.apply,
    'mmseg.datasets.basesegdataset': hidden_folders.apply_to_mmseg,
    'mmpretrain.utils.dependency': new_transformers.apply,
    'mmaction.utils.dependency': new_transformers.apply,
    'pycocotools.coco': coco_optional_fields.apply,
    'yapf_third_party._ylib2to3.pgen2.driver': yapf_cache.apply,
}
_installed = False


def install() -> None:
    """Registers all answers; a second call does nothing."""
    global _installed
    if _installed or os.environ.get('MMUNIFORMER_COMPAT') == '0':
        return
    _installed = True
    _hooks.activate()
    for name, target in _STAND_INS.items():
        _hooks.stand_in(name, target)
    for name, function in _CALLBACKS.items():
        _hooks.after_import(name, function)
