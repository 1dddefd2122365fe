"""Short keys: lines of a config that stand for many places of it.

A config that inherits one of ours may say ``epochs = 30``, and the schedule,
its milestones and its warm-up follow. The keys are applied to the file that
has them, before another one inherits it; after that they are gone, and the
config has nothing but what OpenMMLab knows.
"""

# First of all: compat answers it by importing `on_load`, which needs the rest.
import mmengine.config  # noqa: F401, isort: skip

from .apply import KEYS, apply, apply_one
from .hooks import take_out
from .strays import strays

__all__ = ['KEYS', 'apply', 'apply_one', 'strays', 'take_out']
