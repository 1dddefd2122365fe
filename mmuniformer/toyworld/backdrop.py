"""Random backgrounds: outdoors under a sky, or a room."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from .geometry import arc, mix, rect, shade
from .scene import Colour, Layer, Point, Texture

T = TypeVar('T')
WHITE: Colour = (250, 250, 248)
BLACK: Colour = (20, 20, 24)

SKIES: tuple[tuple[Colour, Colour], ...] = (
    ((84, 148, 222), (196, 222, 244)),
    ((120, 178, 236), (226, 238, 246)),
    ((150, 158, 172), (208, 212, 216)),
    ((96, 104, 168), (244, 190, 140)),
)
GROUNDS: dict[str, tuple[Colour, ...]] = {
    'grass': ((104, 152, 72), (130, 162, 84), (84, 128, 66)),
    'earth': ((146, 112, 80), (122, 94, 70)),
    'sand': ((222, 202, 156), (206, 184, 138)),
    'road': ((118, 120, 124), (96, 98, 104)),
}
WALLS: tuple[Colour, ...] = (
    (226, 214, 190),
    (196, 212, 216),
    (214, 190, 186),
    (190, 206, 178),
    (238, 234, 226),
)
FLOORS: tuple[Colour, ...] = ((164, 124, 84), (132, 98, 70), (172, 168, 160))


def uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A number between low and high."""
    return low + (high - low) * float(rng.random())


def chance(rng: np.random.Generator, share: float) -> bool:
    """True in this share of cases."""
    return float(rng.random()) < share


def pick(rng: np.random.Generator, choices: Sequence[T]) -> T:
    """One of the choices."""
    return choices[int(rng.integers(len(choices)))]


def jitter(rng: np.random.Generator, colour: Colour, reach: int) -> Colour:
    """A colour near this one."""
    r, g, b = (
        min(255, max(0, c + int(rng.integers(-reach, reach + 1))))
        for c in colour
    )
    return r, g, b


def sample_backdrop(
    rng: np.random.Generator, width: int, height: int
) -> tuple[tuple[Layer, ...], float]:
    """A background.

    Args:
        rng: Source of all choices.
        width: Width of the picture in pixels.
        height: Height of the picture in pixels.

    Returns:
        The layers, far to near, and the height of the horizon in pixels from
        the top of the picture.
    """
    horizon = uniform(rng, 0.42, 0.68) * height
    if chance(rng, 0.25):
        return tuple(_room(rng, width, height, horizon)), horizon
    layers = _sky(rng, width, horizon)
    unit = max(width, height) / 320
    if chance(rng, 0.5):
        layers.append(_mountain(rng, width, horizon))
    if chance(rng, 0.35):
        layers += _buildings(rng, width, horizon, unit)
    layers.append(_ground(rng, width, height, horizon, unit))
    if chance(rng, 0.5):
        layers += _trees(rng, width, horizon, unit)
    return tuple(layers), horizon


def _layer(stuff: str, outline, top: Colour, bottom: Colour, **kwargs):
    points = tuple((float(x), float(y)) for x, y in outline)
    return Layer(stuff, points, top, bottom, **kwargs)


def _sky(rng, width: int, horizon: float) -> list[Layer]:
    """A gradient, perhaps with a sun, and up to three clouds."""
    top, bottom = (jitter(rng, colour, 12) for colour in pick(rng, SKIES))
    # The ground may slope, so the sky reaches below the horizon.
    layers = [_layer('sky', rect(0, 0, width, 1.3 * horizon), top, bottom)]
    if chance(rng, 0.4):
        x, y = uniform(rng, 0, width), uniform(rng, 0.05, 0.4) * horizon
        radius = uniform(rng, 0.07, 0.12) * horizon
        outline = arc((x, y), radius, radius, 0, 345, 24)
        sun: Colour = (255, 238, 170)
        layers.append(_layer('sky', outline, sun, sun, opacity=0.85))
    for _ in range(int(rng.integers(4))):
        x, y = uniform(rng, 0, width), uniform(rng, 0.1, 0.7) * horizon
        cloud = _bumps(rng, (x, y), uniform(rng, 0.12, 0.3) * width)
        layers.append(_layer('sky', cloud, WHITE, WHITE, opacity=0.6))
    return layers


def _bumps(rng, centre: Point, width: float) -> list[Point]:
    """A cloud: bumps above a flat base."""
    n = int(rng.integers(3, 6))
    step = width / n
    left, base = centre[0] - width / 2, centre[1]
    outline: list[Point] = [(left + width, base), (left, base)]
    for k in range(n):
        middle = left + (k + 0.5) * step, base
        edge = 0.7 if k in (0, n - 1) else 1.2
        rise = uniform(rng, 0.5, 0.8) * step * edge
        # From 25 to 155 degrees: the valleys stay above the base.
        outline += map(tuple, arc(middle, step * 0.55, rise, 205, 335, 8))
    return outline


def _mountain(rng, width: int, horizon: float) -> Layer:
    """A ridge line."""
    n = int(rng.integers(4, 9))
    ridge = [
        (width * k / n, horizon * (1 - uniform(rng, 0.05, 0.45)))
        for k in range(n + 1)
    ]
    outline = [*ridge, (width, 1.2 * horizon), (0, 1.2 * horizon)]
    colour = jitter(rng, pick(rng, ((112, 124, 148), (110, 128, 104))), 14)
    return _layer('mountain', outline, mix(colour, WHITE, 0.25), colour)


def _buildings(rng, width: int, horizon: float, unit: float) -> list[Layer]:
    """Up to four boxes with rows of windows."""
    layers = []
    for _ in range(int(rng.integers(1, 5))):
        wide, high = uniform(rng, 0.1, 0.24) * width, uniform(rng, 0.25, 0.75)
        x = uniform(rng, -0.05, 0.9) * width
        colour = jitter(rng, pick(rng, (*WALLS, FLOORS[2])), 20)
        colour = shade(colour, uniform(rng, 0.6, 0.9))
        outline = rect(x, horizon * (1 - high), x + wide, 1.2 * horizon)
        windows = Texture('checks', uniform(rng, 11, 18) * unit, 0)
        ink = mix(colour, BLACK, uniform(rng, 0.15, 0.4))
        layers.append(
            _layer(
                'building', outline, colour, colour, texture=windows, ink=ink
            )
        )
    return layers


def _ground(rng, width, height, horizon: float, unit: float) -> Layer:
    """A plain, a little uneven at the horizon."""
    stuff = pick(rng, tuple(GROUNDS))
    colour = jitter(rng, pick(rng, GROUNDS[stuff]), 14)
    slope = uniform(rng, -0.04, 0.04) * height
    hump = uniform(rng, -0.02, 0.04) * height
    edge = [
        (width * t, horizon + slope * (t - 0.5) - 4 * hump * t * (1 - t))
        for t in (k / 8 for k in range(9))
    ]
    outline = [*edge, (width, height), (0, height)]
    kind = pick(rng, ('plain', 'stripes', 'dots'))
    texture = Texture(
        kind, uniform(rng, 14, 30) * unit, uniform(rng, -20, 20) + 90
    )
    ink = shade(colour, uniform(rng, 0.86, 0.95))
    far = mix(colour, WHITE, 0.2)
    return _layer(stuff, outline, far, colour, texture=texture, ink=ink)


def _trees(rng, width: int, horizon: float, unit: float) -> list[Layer]:
    """Up to three trees that stand a little before the horizon."""
    layers = []
    for _ in range(int(rng.integers(1, 4))):
        x = uniform(rng, 0, width)
        foot = horizon + uniform(rng, 4, 14) * unit
        high = uniform(rng, 0.35, 0.8) * horizon
        trunk = rect(x - 0.05 * high, foot - 0.5 * high, x + 0.05 * high, foot)
        brown = jitter(rng, (104, 78, 56), 12)
        green = jitter(rng, (62, 112, 58), 18)
        wide = uniform(rng, 0.2, 0.32) * high
        crown: list[Point] = []
        for k in range(7):
            around = arc((x, foot - 0.66 * high), wide, 0.3 * high, 0, 360, 8)
            middle = float(around[k][0]), float(around[k][1])
            turn = 360 * k / 7
            bump = arc(middle, wide * 0.5, wide * 0.5, turn - 70, turn + 70, 6)
            crown += map(tuple, bump)
        layers.append(_layer('tree', trunk, brown, brown))
        layers.append(_layer('tree', crown, mix(green, WHITE, 0.12), green))
    return layers


def _room(rng, width, height, horizon: float) -> list[Layer]:
    """A papered wall over a floor."""
    unit = max(width, height) / 320
    layers = []
    for stuff, colours, top, bottom in (
        ('wall', WALLS, 0, horizon),
        ('floor', FLOORS, horizon, height),
    ):
        colour = jitter(rng, pick(rng, colours), 14)
        kind = pick(rng, ('plain', 'stripes', 'checks', 'dots'))
        angle = pick(rng, (0.0, 45.0, 90.0))
        texture = Texture(kind, uniform(rng, 18, 40) * unit, angle)
        layers.append(
            _layer(
                stuff,
                rect(0, top, width, bottom),
                mix(colour, WHITE, 0.1),
                colour,
                texture=texture,
                ink=shade(colour, uniform(rng, 0.84, 0.95)),
            )
        )
    return layers
