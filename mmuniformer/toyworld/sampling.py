"""Random scenes: what stands where, and what hides what."""

import colorsys
import math
from dataclasses import dataclass, replace

import numpy as np

from .backdrop import chance, jitter, pick, sample_backdrop, uniform
from .geometry import Box
from .scene import Colour, Person, Scene, Texture, Thing


@dataclass(frozen=True)
class Habit:
    """Where a class is found and how large it is.

    Attributes:
        sizes: Smallest and largest size, in 1/320 of the longer side of the
            picture.
        box: Width and height of the shape, as fractions of its size.
        tilt: Largest rotation.
        aloft: Share of cases in which it floats; else it stands.
        crowds: Comes in crowds, too.
    """

    sizes: tuple[float, float]
    box: tuple[float, float]
    tilt: float
    aloft: float = 0.0
    crowds: bool = False


HABITS: dict[str, Habit] = {
    'person': Habit((64, 165), (0.5, 1.0), 12, crowds=True),
    'car': Habit((54, 130), (1.0, 0.6), 8, crowds=True),
    'traffic light': Habit((54, 125), (0.36, 1.0), 10),
    'stop sign': Habit((46, 120), (0.72, 1.0), 10),
    'umbrella': Habit((46, 115), (1.0, 0.95), 30, 0.3, crowds=True),
    'sports ball': Habit((26, 80), (1.0, 1.0), 180, 0.4, crowds=True),
    'kite': Habit((54, 130), (0.6, 1.0), 60, 1.0, crowds=True),
    'clock': Habit((30, 90), (1.0, 1.0), 15, 0.9),
}
NAMES = tuple(HABITS)

SKINS: tuple[Colour, ...] = (
    (244, 208, 178),
    (226, 178, 140),
    (190, 138, 100),
    (132, 92, 64),
    (92, 64, 48),
)
HAIRS: tuple[Colour, ...] = (
    (42, 32, 28),
    (96, 62, 36),
    (212, 172, 96),
    (150, 150, 150),
)


def sample_scene(rng: np.random.Generator, size: tuple[int, int]) -> Scene:
    """A scene of typically two to six things.

    Nearly all things are 20 to 100 pixels across in a picture of 320 pixels;
    one scene in eight has some tiny ones besides, one in sixteen a crowd, one
    in seventy nothing at all.

    Args:
        rng: Source of all choices; only ``random`` and ``integers`` are used,
            so that the scene does not depend on the version of numpy.
        size: Width and height of the picture in pixels.
    """
    width, height = size
    layers, horizon = sample_backdrop(rng, width, height)
    things: list[Thing] = []
    boxes: list[Box] = []
    if not chance(rng, 0.015):
        if chance(rng, 0.065):
            things += sample_crowd(rng, size, horizon, boxes)
        for _ in range(int(rng.integers(2, 7))):
            name = pick(rng, (*NAMES, 'person'))  # most common in COCO, too
            low, high = HABITS[name].sizes
            extent = low * math.exp(uniform(rng, 0, math.log(high / low)))
            extent *= max(size) / 320
            _put(rng, name, extent, size, horizon, things, boxes)
        if chance(rng, 0.125):
            for _ in range(int(rng.integers(1, 4))):
                extent = uniform(rng, 14, 28)
                name = pick(rng, NAMES)
                _put(rng, name, extent, size, horizon, things, boxes)
    things.sort(key=_base)
    grain, seed = int(rng.integers(2, 7)), int(rng.integers(2**31))
    return Scene(width, height, layers, tuple(things), grain, seed)


def sample_thing(
    rng: np.random.Generator, name: str, x: float, y: float, size: float
) -> Thing:
    """A thing of a class at a place, all the rest random."""
    turn = uniform(rng, -1, 1) * HABITS[name].tilt
    form = (float(rng.random()), float(rng.random()), float(rng.random()))
    kinds = ('plain', 'stripes', 'checks', 'dots')
    kind = pick(rng, kinds[1:] if name == 'sports ball' else kinds)
    if name == 'car' and chance(rng, 0.7):
        kind = 'plain'
    pitch = uniform(rng, 0.16, 0.36)
    if name == 'person':
        pitch /= 2
    texture = Texture(kind, pitch, uniform(rng, 0, 180))
    flip = chance(rng, 0.5)
    pose = (name, x, y, size, _colours(rng, name), turn)
    if name != 'person':
        return Thing(*pose, flip, texture, form)

    def arm() -> tuple[float, float]:
        return 6 + 150 * float(rng.random()) ** 2, uniform(rng, -50, 100)

    def leg() -> tuple[float, float]:
        return uniform(rng, 3, 34), uniform(rng, -34, 6)

    return Person(
        *pose,
        texture=texture,
        form=form,
        arms=arm() + arm(),
        legs=leg() + leg(),
        turn=uniform(rng, -1, 1),
        back=chance(rng, 0.2),
    )


def sample_crowd(
    rng: np.random.Generator,
    size: tuple[int, int],
    horizon: float,
    boxes: list[Box],
) -> list[Thing]:
    """Many small things of one class close together.

    Args:
        rng: Source of all choices.
        size: Width and height of the picture in pixels.
        horizon: Height of the horizon in pixels.
        boxes: The box of the crowd is added here.
    """
    name = pick(rng, [n for n in NAMES if HABITS[n].crowds])
    unit = max(size) / 320
    wide, high = uniform(rng, 0.35, 0.6) * size[0], uniform(rng, 20, 40) * unit
    left = uniform(rng, 0, size[0] - wide)
    if HABITS[name].aloft == 1:
        top = uniform(rng, 0.25, 0.6) * horizon
    else:
        top = uniform(rng, horizon, size[1] - 1.5 * high)
    extent = uniform(rng, 18, 26) * unit * (1.6 if name == 'person' else 1)
    members = []
    for _ in range(int(rng.integers(12, 27))):
        x, y = uniform(rng, left, left + wide), uniform(rng, top, top + high)
        scale = uniform(rng, 0.85, 1.15)
        thing = sample_thing(rng, name, x, y - extent / 2, extent * scale)
        members.append(replace(thing, crowd=0))
    boxes.append((left, top - extent, left + wide, top + high))
    return members


def _put(
    rng: np.random.Generator,
    name: str,
    extent: float,
    size: tuple[int, int],
    horizon: float,
    things: list[Thing],
    boxes: list[Box],
) -> None:
    """Adds a thing where it hides little; gives up after some attempts."""
    habit = HABITS[name]
    wide, high = (extent * side for side in habit.box)
    # A little hiding is common, much is rare.
    limit = 0.6 if chance(rng, 0.12) else 0.2
    for _ in range(8):
        x = uniform(rng, 0.3 * wide, size[0] - 0.3 * wide)
        if chance(rng, habit.aloft):
            y = uniform(rng, 0.4 * high, horizon)
        else:
            foot = uniform(rng, horizon, size[1])
            y = max(foot - high / 2, 0.4 * high)
        box = (x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)
        if all(_overlap(box, other) <= limit for other in boxes):
            boxes.append(box)
            things.append(sample_thing(rng, name, x, y, extent))
            return


def _overlap(a: Box, b: Box) -> float:
    """Shared area, as a fraction of the smaller box."""
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    least = min((c[2] - c[0]) * (c[3] - c[1]) for c in (a, b))
    return max(wide, 0) * max(high, 0) / least


def _base(thing: Thing) -> float:
    """What stands lower is nearer."""
    return thing.y + HABITS[thing.name].box[1] * thing.size / 2


def _colours(rng: np.random.Generator, name: str) -> tuple[Colour, ...]:
    """Colours of the surface; natural ones where a class has them."""
    if name == 'stop sign':
        return (jitter(rng, (202, 32, 36), 18),)
    if name == 'traffic light':
        return (jitter(rng, pick(rng, ((40, 42, 46), (70, 74, 60))), 12),)
    first, second = _pair(rng)
    if name == 'clock':
        return first, jitter(rng, (246, 242, 230), 9)
    if name == 'person':
        trousers = _pair(rng)[0]
        dark = tuple(int(0.6 * c) for c in trousers)
        skin = jitter(rng, pick(rng, SKINS), 8)
        return first, second, dark, skin, pick(rng, HAIRS)  # type: ignore
    return first, second


def _pair(rng: np.random.Generator) -> tuple[Colour, Colour]:
    """Two colours that differ clearly."""
    hue = float(rng.random())
    other = hue + uniform(rng, 0.25, 0.75)
    return _hsv(rng, hue, 0.55), _hsv(rng, other, 0.1)


def _hsv(rng: np.random.Generator, hue: float, least: float) -> Colour:
    """A colour of a hue, of at least some saturation."""
    saturation, value = uniform(rng, least, 1), uniform(rng, 0.55, 1)
    r, g, b = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return round(255 * r), round(255 * g), round(255 * b)
