"""Clips in which nothing but the order of the frames tells the class.

A clip is a closed film, entered at a quarter of it and run forwards or
backwards: whatever the class, it shows each frame of the film once. In the
film, which does not know the class,

- a thing goes to the right, from anywhere, leaves the picture and enters it
  again on the left, until it is where it was; it is fast in the first and
  third quarter, slow in the others;
- another thing is there for two quarters, from the start or a quarter later.

Of the four entries two begin fast and two slow; of these two one ends with
the second thing there and one without it. So the two directions, two speeds
and two orders of events make eight classes, and taken in a random order the
frames of all classes are alike.
"""

from dataclasses import replace
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .backdrop import chance, pick, sample_backdrop, uniform
from .render import paste, render
from .sampling import NAMES, sample_thing
from .scene import Scene, Thing
from .world import World

FRAMES = 24  # of a film and so of a clip, a multiple of 4
FPS = 12
WIDTH, HEIGHT = 80, 64  # pixels
SURGE = 0.7  # both speeds differ from their mean by this part of it
CLASSES = tuple(
    ' '.join(words)
    for words in product(
        ('to the right,', 'to the left,'),
        ('fast first,', 'slow first,'),
        ('comes last', 'goes last'),
    )
)


class Film(NamedTuple):
    """A closed film, which is shown in another order for each class.

    Attributes:
        frames: (T, H, W, 3), red green blue.
        places: Where the first thing is, from 0, outside on the left, to 1,
            outside on the right, (T,).
        present: Whether the second thing is there, (T,).
    """

    frames: NDArray[np.uint8]
    places: NDArray[np.float64]
    present: NDArray[np.bool_]


def clip(world: World, split: str, index: int) -> NDArray[np.uint8]:
    """The frames of a clip, (T, H, W, 3), red green blue."""
    source = film(world, split, index)
    return source.frames[order(source, label(index))]


def label(index: int) -> int:
    """Which of ``CLASSES`` a clip is of: all are equally frequent."""
    return index % len(CLASSES)


def order(source: Film, label: int) -> NDArray[np.int64]:
    """Which frames of a film a clip of a class shows, one after another.

    Args:
        source: The film.
        label: Index in ``CLASSES``.

    Returns:
        The index of each frame, once, (T,).
    """
    backwards, slow, goes = label >> 2 & 1, label >> 1 & 1, label & 1
    steps = np.arange(FRAMES)
    # Quarters 0 and 2 are fast. Backwards, a quarter is entered at its end.
    start = (slow + backwards) * FRAMES // 4
    shown = (start + (-1 - steps if backwards else steps)) % FRAMES
    if source.present[shown[-1]] == goes:
        shown = (shown + FRAMES // 2) % FRAMES
    return shown


def film(world: World, split: str, index: int) -> Film:
    """The film from which a clip is taken.

    Args:
        world: Its seed is used; films are of one size in all worlds.
        split: 'train' or 'val'.
        index: Index of the clip.
    """
    rng = world.rng(split, index, use=3)
    backdrop, mover, guest = _cast(rng)
    times = (np.arange(FRAMES) + 0.5) / FRAMES
    start = float(rng.random())
    places = np.array([(start + _way(time)) % 1 for time in times.tolist()])
    present = (times - chance(rng, 0.5) / 4) % 1 < 0.5
    frames = np.repeat(backdrop[None], FRAMES, 0)
    for frame, place, there in zip(frames, places, present, strict=True):
        if there:
            paste(guest, frame)
        x = place * (WIDTH + mover.size) - mover.size / 2
        paste(replace(mover, x=x), frame)
    return Film(frames, places, present)


def _way(time: float) -> float:
    """What is covered after a part of the film."""
    quarter, rest = divmod(4 * time, 1)
    return time + SURGE / 4 * (1 - rest if quarter % 2 else rest)


def _cast(
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], Thing, Thing]:
    """A picture of what stands still, and the two things of a film."""
    layers, _ = sample_backdrop(rng, WIDTH, HEIGHT)
    still = tuple(
        sample_thing(
            rng,
            pick(rng, NAMES),
            uniform(rng, 0, WIDTH),
            uniform(rng, 0, HEIGHT),
            uniform(rng, 8, 16),
        )
        for _ in range(int(rng.integers(3)))
    )
    grain, seed = int(rng.integers(2, 7)), int(rng.integers(2**31))
    backdrop = render(Scene(WIDTH, HEIGHT, layers, still, grain, seed))
    rows = HEIGHT / 4, HEIGHT * 3 / 4
    if chance(rng, 0.5):
        rows = rows[::-1]
    x = uniform(rng, 0.4, 0.6) * WIDTH
    mover, guest = (
        sample_thing(rng, pick(rng, NAMES), x, row, uniform(rng, 20, 26))
        for row in rows
    )
    return backdrop.image, mover, guest
