"""Guards the folders that writers fill.

A marker file, written first, tells our folders from everybody else's; data of
another origin is never changed. The annotation files are written last, so a
folder without them is an interrupted run.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..compat import whole_files
from .world import DESCRIPTION, World

MARKER = 'toyworld.json'


def write_json(path: Path, content: Any) -> None:
    """Writes the whole file or nothing."""
    write_text(path, json.dumps(content))


def write_text(path: Path, text: str) -> None:
    """Writes the whole file or nothing."""
    whole_files.write(path, text.encode())


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


def read_lines(path: Path) -> list[str]:
    """The lines of a text file, whatever it may be."""
    return path.read_text(encoding='utf-8', errors='replace').splitlines()


def is_ours(info: dict) -> bool:
    """Whether this is the info of a toy world."""
    return info.get('description') == DESCRIPTION


class Folder:
    """A folder of one layout or of several that share pictures, ours or not.

    Args:
        root: The folder; it need not exist.
        annotations: For each layout its annotation files below the folder.
        pictures: For each folder of pictures below it, a function from the
            info of a world to the names of its pictures.
        lists: Text files below the folder, each with a function from the info
            of a world to its lines.
    """

    def __init__(
        self,
        root: Path,
        annotations: Mapping[str, Iterable[str]],
        pictures: Mapping[str, Callable[[dict], Iterable[str]]],
        lists: Mapping[str, Callable[[dict], list[str]]],
    ) -> None:
        self.root = root
        self.annotations = {
            layout: [root / name for name in names]
            for layout, names in annotations.items()
        }
        self.pictures = {root / sub: fn for sub, fn in pictures.items()}
        self.lists = {root / name: fn for name, fn in lists.items()}

    def plan(
        self, world: World, force: bool, wanted: Sequence[str]
    ) -> tuple[list[str], bool]:
        """Decides what is to be written; changes nothing.

        Args:
            world: What shall be there.
            force: Replace a complete toy world.
            wanted: The layouts that shall be there.

        Returns:
            The layouts to write, and whether the pictures are to be drawn
            anew, after :meth:`clear`. Then these layouts are the wanted ones
            and those that are there, as their pictures are lost.

        Raises:
            FileExistsError: Something else is there.
        """
        found: dict = {}
        if self.root.exists() and any(self.root.iterdir()):
            found = self._identify()
        ready = [
            layout
            for layout, files in self.annotations.items()
            if all(f.is_file() and read_info(f) == found for f in files)
            and all(f.is_file() for f in self.lists)
        ]
        info = world.info()
        if ready and not force:
            if found != info:
                raise FileExistsError(
                    f'{self.root} holds another toy world '
                    f'({_brief(found)}); --force replaces it'
                )
            if self._present() == self._expected(info):
                return [n for n in wanted if n not in ready], False
        return [*wanted, *(n for n in ready if n not in wanted)], True

    def clear(self, world: World) -> None:
        """Takes away what is ours, annotations first, and marks the folder."""
        for path in (*self._files(), *self.lists):
            path.unlink(missing_ok=True)
        present = self._present()
        for path in present:
            path.unlink()
        for folder in {path.parent for path in present} - {*self.pictures}:
            folder.rmdir()
        for folder in self.pictures:
            folder.mkdir(parents=True, exist_ok=True)
        write_json(self.root / MARKER, world.info())

    def _identify(self) -> dict:
        """The info of the toy world that is there, or an error."""
        marker = self.root / MARKER
        found: dict = {}
        if marker.is_file():
            try:
                found = json.loads(marker.read_text(encoding='utf-8'))
            except ValueError:
                raise self._foreign(marker) from None
        if not is_ours(found):
            raise self._foreign(next(iter(sorted(self.root.iterdir()))))
        for path in self._files():
            if path.exists() and not is_ours(read_info(path)):
                raise self._foreign(path)
        for path, lines in self.lists.items():
            if path.exists() and read_lines(path) != lines(found):
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

    def _files(self) -> list[Path]:
        """The annotation files of all layouts."""
        return [path for files in self.annotations.values() for path in files]

    def _present(self) -> set[Path]:
        """All files in the folders of pictures."""
        return {
            path
            for folder in self.pictures
            if folder.is_dir()
            for path in folder.rglob('*')
            if path.is_symlink() or not path.is_dir()
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
