"""Guards the folders that writers fill.

A marker file, written first, tells our folders from everybody else's; data of
another origin is never changed. The annotation files are written last, so a
folder without them is an interrupted run.
"""

import json
import os
from pathlib import Path
from typing import Any

from .world import DESCRIPTION, World

MARKER = 'toyworld.json'


def write_json(path: Path, content: Any) -> None:
    """Writes the whole file or nothing."""
    draft = path.with_name(f'{path.name}.{os.getpid()}.tmp')
    try:
        draft.write_text(json.dumps(content), encoding='utf-8')
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def read_info(path: Path) -> dict:
    """The ``info`` of an annotation file, without reading all of it.

    Returns:
        The field if it comes first in the file, as in COCO's own files and in
        ours, else an empty dict.
    """
    with open(path, encoding='utf-8', errors='replace') as file:
        head = file.read(4096)
    start = head.find('"info":')
    if start < 0:
        return {}
    try:
        info = json.JSONDecoder().raw_decode(head[start + 7 :].lstrip())[0]
    except ValueError:
        return {}
    return info if isinstance(info, dict) else {}


def is_ours(info: dict) -> bool:
    """Whether this is the info of a toy world."""
    return info.get('description') == DESCRIPTION


class Folder:
    """A folder of one layout, ours or not.

    Args:
        root: The folder; it need not exist.
        annotations: Annotation files below it.
        pictures: For each folder of pictures below it, a function from the
            info of a world to the names of its pictures.
    """

    def __init__(self, root: Path, annotations, pictures) -> None:
        self.root = root
        self.annotations = [root / name for name in annotations]
        self.pictures = {root / sub: fn for sub, fn in pictures.items()}

    def prepare(self, world: World, force: bool) -> bool:
        """Checks what is there and makes room for a world.

        Args:
            world: What is going to be written.
            force: Replace a complete toy world.

        Returns:
            False if exactly this world is there, complete, and not ``force``.

        Raises:
            FileExistsError: Something else is there. Nothing was changed.
        """
        wanted = world.info()
        marker = self.root / MARKER
        if self.root.exists() and any(self.root.iterdir()):
            found = self._identify(marker)
            complete = all(
                file.is_file() and read_info(file) == found
                for file in self.annotations
            )
            if complete and not force:
                if found != wanted:
                    raise FileExistsError(
                        f'{self.root} holds another toy world '
                        f'({_brief(found)}); --force replaces it'
                    )
                if self._present() == self._expected(wanted):
                    return False
            for path in self.annotations:
                path.unlink(missing_ok=True)
            for path in self._present():
                path.unlink()
        for path in [*self.annotations, *(p / '_' for p in self.pictures)]:
            path.parent.mkdir(parents=True, exist_ok=True)
        write_json(marker, wanted)
        return True

    def _identify(self, marker: Path) -> dict:
        """The info of the toy world that is there, or an error."""
        found: dict = {}
        if marker.is_file():
            try:
                found = json.loads(marker.read_text(encoding='utf-8'))
            except ValueError:
                raise self._foreign(marker) from None
        if not is_ours(found):
            raise self._foreign(next(iter(sorted(self.root.iterdir()))))
        for path in self.annotations:
            if path.exists() and not is_ours(read_info(path)):
                raise self._foreign(path)
        for path in sorted(self._present() - self._expected(found)):
            raise self._foreign(path)
        return found

    def _foreign(self, path: Path) -> FileExistsError:
        return FileExistsError(
            f'{self.root} holds data that is not of a toy world, such as '
            f'{path.relative_to(self.root)}; choose another folder, nothing '
            f'was changed'
        )

    def _present(self) -> set[Path]:
        """All files in the folders of pictures."""
        return {
            path
            for folder in self.pictures
            if folder.is_dir()
            for path in folder.iterdir()
        }

    def _expected(self, info: dict) -> set[Path]:
        """The pictures of a world."""
        return {
            folder / name
            for folder, names in self.pictures.items()
            for name in names(info)
        }


def _brief(info: dict) -> str:
    skip = ('description',)
    return ', '.join(f'{k}={v}' for k, v in info.items() if k not in skip)
