"""Importing this module has mmengine apply short keys as it reads configs.

``configs/_base_/default_runtime.py`` asks for it in ``custom_imports``, so
that our configs are the same for every tool of every host. Files that do not
inherit it are read as ever.
"""

import ast
from functools import wraps
from pathlib import Path
from typing import Any

from mmengine.config import Config

from .apply import KEYS, apply
from .hooks import keep_one_average, take_out
from .starts import spell_out


def is_ours(cfg: Any) -> bool:
    """Whether a config asks for this module, or for a backbone of ours."""
    imports = (cfg.get('custom_imports') or {}).get('imports') or ()
    backbone = (cfg.get('model') or {}).get('backbone') or {}
    return __name__ in imports or str(backbone.get('type')).startswith(
        'mmuniformer.'
    )


def written_in(path: str) -> set[str]:
    """The short keys that a file itself has, not those that it inherits."""
    if not path.endswith('.py'):
        return set()
    nodes = ast.walk(ast.parse(Path(path).read_text(encoding='utf-8')))
    names = {
        node.id
        for node in nodes
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return names & set(KEYS)


def _reading(read: Any) -> Any:
    """The reader of files of mmengine, and then the keys of the file."""

    @wraps(read)
    def file_to_dict(filename: str, *args: Any, **kwargs: Any) -> Any:
        cfg, *rest = read(filename, *args, **kwargs)
        if is_ours(cfg):
            apply(cfg, written_in(str(filename)))
            take_out(cfg)
            spell_out(cfg)
        return cfg, *rest

    return file_to_dict


def _building(build: Any) -> Any:
    """The constructor of Config, which reads a file again if it has to.

    The first of our configs that a process reads brings this module in when
    its files are read already.
    """

    @wraps(build)
    def init(
        self: Config,
        cfg_dict: Any = None,
        cfg_text: Any = None,
        filename: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        if filename and isinstance(cfg_dict, dict) and is_ours(cfg_dict):
            left = set(KEYS) & set(cfg_dict)
            if left and cfg_text:
                cfg_dict = Config._file2dict(str(filename))[0]
            elif left:  # of pure Python, which mmengine reads otherwise
                apply(cfg_dict, written_in(str(filename)))
            take_out(cfg_dict)
            spell_out(cfg_dict)
            keep_one_average(cfg_dict)
        build(self, cfg_dict, cfg_text, filename, *args, **kwargs)

    return init


def install() -> None:
    """Wraps what mmengine reads configs with; a second call does nothing."""
    if not hasattr(Config._file2dict, '__wrapped__'):
        Config._file2dict = staticmethod(_reading(Config._file2dict))
        Config.__init__ = _building(Config.__init__)


install()
