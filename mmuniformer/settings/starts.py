"""Names of published files in a config, spelt out as it is read.

A recipe says ``checkpoint='uniformer_small_in1k'``. Whoever reads the config
afterwards, a host's own tools and people who print it, sees the file.
"""

from typing import Any

from ..weights.published import table
from .values import Cfg


def spell_out(cfg: Cfg) -> None:
    """Puts the first address of a published file in place of its name.

    Files without a public address stay names. Loading takes the name, and
    knows by the address which file is meant; it tries all of its addresses.

    Args:
        cfg: Whole config, or its dict; changed in place.
    """
    _spell_out(cfg.get('model'))


def _spell_out(part: Any) -> None:
    if isinstance(part, dict):
        init = part.get('init_cfg')
        if isinstance(init, dict):
            release = table().get(str(init.get('checkpoint')))
            if release and release.addresses:
                init['checkpoint'] = release.addresses[0]
        part = part.values()
    elif not isinstance(part, (list, tuple)):
        return
    for value in part:
        _spell_out(value)
