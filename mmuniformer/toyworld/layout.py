"""What a data layout is made of."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .motion import clip
from .render import Rendered, render
from .scene import Scene
from .world import World


@dataclass(frozen=True)
class Shot:
    """One picture of a world, drawn when somebody looks."""

    world: World
    split: str
    index: int

    @cached_property
    def scene(self) -> Scene:
        """What is in the picture."""
        return self.world.scene(self.split, self.index)

    @cached_property
    def rendered(self) -> Rendered:
        """What the camera sees."""
        return render(self.scene)

    @cached_property
    def clip(self) -> NDArray[np.uint8]:
        """A clip of this number, (T, H, W, 3); it is not of this scene."""
        return clip(self.world, self.split, self.index)

    @cached_property
    def jpeg(self) -> bytes:
        """The file of the picture."""
        quality = [cv2.IMWRITE_JPEG_QUALITY, 92]
        pixels = self.rendered.image[..., ::-1]
        return cv2.imencode('.jpg', pixels, quality)[1].tobytes()


@dataclass(frozen=True)
class Layout:
    """One way to put a world into files.

    Layouts of one path share a folder and its pictures.

    Attributes:
        path: Where configs look for it, below their ``data``.
        files: Annotation files below that folder, JSON that begins with the
            info of the world.
        pictures: For each folder of pictures below it, a function from the
            info of a world to the names of its pictures; those may begin
            with a folder.
        draw: Writes the pictures of a shot into the folder.
        label: What the annotation files have to know of a shot.
        compose: The contents of ``files``, from the labels of all shots in
            the order of ``World.keys``.
        lists: Text files below the folder, each with a function from the info
            of a world to its lines.
    """

    path: str
    files: tuple[str, ...]
    pictures: dict[str, Callable[[dict], Iterable[str]]]
    draw: Callable[[Path, Shot], None]
    label: Callable[[Shot], Any]
    compose: Callable[[World, list], Iterable[Any]]
    lists: dict[str, Callable[[dict], list[str]]] = field(default_factory=dict)
