"""A toy world: the parameters of a data set and its scenes, one by one."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np

from .backdrop import chance
from .sampling import sample_scene
from .scene import Scene

DESCRIPTION = 'mmuniformer toy world'
VERSION = 1  # of the pictures: raise it when a change alters any of them
SPLITS = ('train', 'val')
LIMITS = {
    'seed': (0, 2**32 - 1),
    'size': (64, 4096),
    'images_train': (1, 999_999),
    'images_val': (1, 999_999),
}


@dataclass(frozen=True)
class World:
    """What a toy world is made from; equal parameters give equal bytes.

    Attributes:
        seed: Seed of everything.
        size: Longer side of the pictures in pixels.
        images_train: Number of training pictures.
        images_val: Number of validation pictures.
    """

    seed: int = 0
    size: int = 320
    images_train: int = 1500
    images_val: int = 200

    def __post_init__(self) -> None:
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if not isinstance(value, int) or not low <= value <= high:
                raise ValueError(
                    f'{name}={value!r}: wanted an integer from {low} to {high}'
                )

    def count(self, split: str) -> int:
        """Number of pictures of a split."""
        return int(getattr(self, f'images_{split}'))

    def rng(self, split: str, index: int, use: int = 0) -> np.random.Generator:
        """A source of choices about one picture, another for each use."""
        key = [self.seed, SPLITS.index(split), index, use]
        return np.random.default_rng(np.random.SeedSequence(key))

    def scene(self, split: str, index: int) -> Scene:
        """One scene, a function of the seed, the size, split and index alone.

        Four pictures in five are landscape, the others portrait, 4:3.
        """
        rng = self.rng(split, index)
        size = self.size, self.size * 3 // 4
        return sample_scene(rng, size[::-1] if chance(rng, 0.2) else size)

    def keys(self) -> Iterator[tuple[str, int]]:
        """Split and index of every picture."""
        for split in SPLITS:
            for index in range(self.count(split)):
                yield split, index

    def info(self) -> dict:
        """How the files of this world say what they are."""
        return {
            'description': DESCRIPTION,
            'version': VERSION,
            **asdict(self),
        }
