"""Import hooks, the one mechanism behind the shims of this package.

``stand_in``: another module answers for a name that nobody else finds, or
whose own module exists but fails to import. ``after_import``: a function
sees a module as soon as it has been imported.
"""

import importlib
import logging
import sys
from collections.abc import Callable
from functools import partial
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

LOG = logging.getLogger('mmuniformer.compat')

_stand_ins: dict[str, str] = {}
_callbacks: dict[str, list[Callable[[ModuleType], None]]] = {}


def stand_in(name: str, target: str) -> None:
    """Lets module ``target`` answer for ``name`` where that is missing."""
    _stand_ins[name] = target


def after_import(name: str, function: Callable[[ModuleType], None]) -> None:
    """Calls ``function(module)`` once module ``name`` has been imported."""
    if name in sys.modules:
        function(sys.modules[name])
    else:
        _callbacks.setdefault(name, []).append(function)


def activate() -> None:
    """Puts the finders on ``sys.meta_path``, first and last."""
    sys.meta_path.insert(0, _Around())
    sys.meta_path.append(_Missing())


class _Alias(Loader):
    """Replaces the new module by another one."""

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        LOG.debug('%s: %s stands in', name, _stand_ins[name])
        sys.modules[name] = importlib.import_module(_stand_ins[name])


class _Missing(MetaPathFinder):
    """The last finder: what reaches it, no other one knows."""

    def find_spec(self, name, path=None, target=None):
        if name in _stand_ins:
            return ModuleSpec(name, _Alias(), origin=_stand_ins[name])
        return None


class _Around(MetaPathFinder):
    """The first finder: wraps the execution of the modules it is told of."""

    def find_spec(self, name, path=None, target=None):
        if name not in _callbacks and name not in _stand_ins:
            return None
        for finder in sys.meta_path:
            if isinstance(finder, (_Around, _Missing)):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                break
        else:
            return None
        run = spec.loader.exec_module
        spec.loader.exec_module = partial(_execute, run)
        return spec


def _execute(run: Callable[[ModuleType], None], module: ModuleType) -> None:
    name = module.__name__
    try:
        run(module)
    except Exception as error:
        if name not in _stand_ins:
            raise
        LOG.debug('%s does not import: %s', name, error)
        _Alias().exec_module(module)
    for function in _callbacks.pop(name, ()):
        function(module)
