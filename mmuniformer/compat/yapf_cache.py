"""yapf's cached grammar is made anew where it is broken.

mmengine imports yapf, which at its first import keeps its grammar in the
user's cache. It gives the file its name before the bytes are written, so that
a second process that begins at that moment (two of a first training) ends
with an EOFError, and after a kill at that moment every later process does.
"""

from functools import wraps
from pickle import UnpicklingError
from types import ModuleType
from typing import Any


def apply(module: ModuleType) -> None:
    """Wraps ``load_grammar`` of yapf's ``pgen2.driver``."""
    load = module.load_grammar

    @wraps(load)
    def load_grammar(*args: Any, **kwargs: Any) -> Any:
        try:
            return load(*args, **kwargs)
        except (EOFError, UnpicklingError):
            return load(*args, **{**kwargs, 'force': True})

    module.load_grammar = load_grammar  # type: ignore[attr-defined]
