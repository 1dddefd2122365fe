"""Pictures that cannot be read, by their name and in one line.

mmcv does not say which file is empty, what an interrupted download leaves
behind, and of others it speaks at the end of the traceback of a worker
process. (No upstream issue.)
"""

from types import ModuleType
from typing import Any

from ..errors import DamagedError, check_plain


def apply(loading: ModuleType) -> None:
    """Has mmcv's LoadImageFromFile, which all hosts use, name the file."""
    load = loading.LoadImageFromFile.transform

    def transform(self: Any, results: dict[str, Any]) -> Any:
        try:
            check_plain(results.get('img_path'))
            return load(self, results)
        except Exception as error:
            reason = ' '.join(str(error).split())
            raise DamagedError(
                f'image {results.get("img_path")!r} cannot be read: {reason}'
            ) from error

    loading.LoadImageFromFile.transform = transform
