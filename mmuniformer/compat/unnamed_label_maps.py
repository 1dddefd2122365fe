"""Label maps of segmentation that cannot be decoded, by their name.

mmseg reads them from bytes with Pillow, which then says no more than ``cannot
identify image file <_io.BytesIO object>``: one bad file of twenty thousand
ends a training and cannot be found. (No upstream issue.)
"""

from types import ModuleType
from typing import Any

from ..errors import DamagedError, check_plain


def apply(loading: ModuleType) -> None:
    """Has mmseg's LoadAnnotations name the file."""
    load = loading.LoadAnnotations._load_seg_map

    def load_seg_map(self: Any, results: dict[str, Any]) -> None:
        try:
            check_plain(results.get('seg_map_path'))
            load(self, results)
        except Exception as error:
            reason = ' '.join(str(error).split())
            raise DamagedError(
                f'label map {results["seg_map_path"]!r} cannot be read: '
                f'{reason}'
            ) from error

    loading.LoadAnnotations._load_seg_map = load_seg_map
