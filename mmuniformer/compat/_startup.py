"""Loads the answers of this package when a host is first imported.

`make setup` and the wheel put this file into site-packages under the name
``_mmuniformer_startup``, with ``_mmuniformer_startup.pth``, whose one line has
every interpreter of that environment import it. So ``from mmdet.apis import
init_detector`` works in programs that do not know this package. It costs less
than a millisecond, and nothing more where no host is imported; mmengine alone
is none. ``MMUNIFORMER_COMPAT=0`` in the environment turns it off.
"""

import os
import sys

HOSTS = frozenset(
    'mmcv mmdet mmseg mmpretrain mmpose mmaction xtcocotools'.split()
)


class FirstImport:
    """A finder that finds nothing, and goes when it has seen a host."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        """Installs the import hooks before they are needed."""
        if name not in HOSTS:
            return None
        sys.meta_path.remove(cls)
        try:
            import mmuniformer.compat  # noqa: F401
        except Exception:  # someone else's program goes on without us
            return None
        # The search that is under way began with the finders of before.
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                return spec
        return None


if os.environ.get('MMUNIFORMER_COMPAT') != '0':
    sys.meta_path.insert(0, FirstImport)
