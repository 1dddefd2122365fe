"""mmengine finds installed packages without ``pkg_resources``.

``mmengine.utils.package_utils`` asks ``pkg_resources``, which setuptools
dropped in version 82, and which says of an editable installation that it is
in site-packages. Bases of other packages (``_base_ = 'mmdet::...'``) and
``mmengine.hub`` then fail. Where it is there and right, its answer stays.
"""

import os.path
import sys
from collections.abc import Callable
from importlib import metadata, util
from types import ModuleType

# Where the two functions are known by their names, if imported already.
HOLDERS = ('mmengine.utils', 'mmengine.config.config', 'mmengine.hub.hub')


def apply(module: ModuleType) -> None:
    """Replaces two functions of ``mmengine.utils.package_utils``."""
    path_of: Callable[[str], str] = module.get_installed_path

    def is_installed(package: str) -> bool:
        """Whether a distribution or module of this name is there."""
        return bool(_distribution(package) or _folder(package))

    def get_installed_path(package: str) -> str:
        """The folder of an installed package.

        Args:
            package: Name of the distribution or of the module.
        """
        try:
            path = path_of(package)
            if os.path.exists(path):
                return path
        except Exception:  # its own kinds, with pkg_resources or without
            pass
        names = [package]
        found = _distribution(package)
        if found:
            text = found.read_text('top_level.txt') or ''
            names += text.split() + [package.replace('-', '_')]
        for name in names:
            folder = _folder(name)
            if folder:
                return folder
        raise ModuleNotFoundError(f'{package} is not installed')

    for function in (is_installed, get_installed_path):
        name = function.__name__
        replaced = getattr(module, name)
        for holder in (module, *filter(None, map(sys.modules.get, HOLDERS))):
            if getattr(holder, name, None) is replaced:
                setattr(holder, name, function)


def _distribution(package: str) -> metadata.Distribution | None:
    try:
        return metadata.distribution(package)
    except metadata.PackageNotFoundError:
        return None


def _folder(module: str) -> str:
    """Folder of a module that is not imported for it, or ''."""
    try:
        spec = util.find_spec(module)
    except (ImportError, ValueError):
        return ''
    return os.path.dirname(spec.origin) if spec and spec.origin else ''
