"""Answers that are wishes, not defects: in force under our own tools alone.

They say more than the hosts do about bad files, and carry themselves over to
spawned workers. In someone else's program a missing image stays the error
that it was.
"""

from . import _hooks, spawned_workers, unnamed_images, unnamed_label_maps

_CALLBACKS = {
    'mmcv.transforms.loading': unnamed_images.apply,
    'mmseg.datasets.transforms.loading': unnamed_label_maps.apply,
}
_installed = False


def install() -> None:
    """Registers them; a second call does nothing."""
    global _installed
    if _installed:
        return
    _installed = True
    for name, function in _CALLBACKS.items():
        _hooks.after_import(name, function)
    spawned_workers.apply(install)
