"""What the classes look like: a thing becomes a list of coloured polygons.

Shapes are drawn in local coordinates: the origin is the centre, and the
largest extent is 1, from -0.5 to 0.5.
"""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from .geometry import (
    DARK,
    Part,
    Points,
    arc,
    capsule,
    disc,
    rect,
    shade,
    towards,
)
from .person import person
from .scene import Colour, Thing

WHITE: Colour = (245, 245, 240)
GREY: Colour = (128, 130, 134)


def sports_ball(thing: Thing) -> list[Part]:
    """A disc of beach-ball wedges, or of the texture, with a dark rim."""
    main, second = thing.colours[:2]
    rim = Part(disc(0, 0, 0.5), shade(main, 0.5))
    if thing.form[0] < 0.5:
        parts = [rim, Part(disc(0, 0, 0.46), main)]
        n = 3 if thing.form[1] < 0.5 else 4
        for k in range(n):
            edge = arc((0, 0), 0.46, 0.46, 360 * k / n, 360 * (k + 0.5) / n, 8)
            wedge = np.concatenate([edge, [(0.0, 0.0)]])
            parts.append(Part(wedge, second))
        return [*parts, Part(disc(0, 0, 0.09, 12), WHITE)]
    return [rim, Part(disc(0, 0, 0.46), main, thing.texture, second)]


def kite(thing: Thing) -> list[Part]:
    """A diamond of four panels with a bowed tail."""
    main, second = thing.colours[:2]
    half = 0.24 + 0.1 * thing.form[0]
    top, foot, cross = (0.0, -0.5), (0.0, 0.24), -0.2
    sway = 0.12 * (thing.form[1] - 0.5)
    knots = [foot, (0.06 + sway, 0.33), (-0.05 + sway, 0.42), (sway, 0.5)]
    parts = [
        Part(capsule(a, b, 0.045), shade(second, 0.6))
        for a, b in pairwise(knots)
    ]
    for x, y in knots[1:3]:
        bow = [(-0.07, -0.04), (0.07, 0.04), (0.07, -0.04), (-0.07, 0.04)]
        parts.append(Part(np.array(bow) + (x, y), main))
    for tip, side, colour in (
        (top, -half, main),
        (top, half, second),
        (foot, -half, second),
        (foot, half, main),
    ):
        corners = np.array([tip, (side, cross), (0.0, cross)])
        ink = main if colour == second else second
        parts.append(Part(corners, colour, thing.texture, shade(ink, 0.8)))
    return parts


def stop_sign(thing: Thing) -> list[Part]:
    """A red octagon with a white rim and four white letters, on a pole."""
    red = thing.colours[0]
    turn = math.cos(math.radians(22.5))
    parts = [Part(rect(-0.035, 0.1, 0.035, 0.5), GREY)]
    for radius, colour in ((0.36, WHITE), (0.32, red)):
        octagon = arc((0, -0.167), radius, radius, 22.5, 337.5, 8)
        parts.append(Part(octagon, colour))
    width = 0.3 * turn * 0.4
    for k in range(4):
        x = (k - 1.5) * width * 1.15
        box = rect(x - width / 2, -0.25, x + width / 2, -0.085)
        parts.append(Part(box, WHITE))
    return parts


def clock(thing: Thing) -> list[Part]:
    """A light face in a coloured rim, with twelve ticks and two hands."""
    rim, face = thing.colours[:2]
    parts = [Part(disc(0, 0, 0.5), rim), Part(disc(0, 0, 0.4), face)]
    for k in range(12):
        inner = 0.27 if k % 3 == 0 else 0.31
        start, end = (towards((0, 0), r, 30 * k) for r in (inner, 0.35))
        parts.append(Part(capsule(start, end, 0.035), DARK))
    for turn, length, width in zip(thing.form, (0.31, 0.2), (0.045, 0.07)):
        hand = towards((0, 0), length, 360 * turn)
        parts.append(Part(capsule((0, 0), hand, width), DARK))
    return parts


def umbrella(thing: Thing) -> list[Part]:
    """A half disc of panels with a scalloped rim and a hooked handle."""
    main, second = thing.colours[:2]
    n = 4 if thing.form[0] < 0.5 else 6
    foot = 0.4
    parts = [Part(capsule((0, -0.4), (0, foot), 0.05), DARK)]
    hook = arc((0.075, foot), 0.075, 0.075, 180, 0, 6)
    parts += [
        Part(capsule(tuple(a), tuple(b), 0.05), DARK)
        for a, b in pairwise(hook)
    ]

    def rib(side: float) -> Points:
        return arc((0, 0), 0.5 * side, 0.45, -90, 0, 8)

    for k in range(n):
        left, right = (2 * k / n - 1), (2 * (k + 1) / n - 1)
        middle, reach = (left + right) / 4, (right - left) / 4
        sag = arc((middle, 0), reach, 0.05, 180, 360, 6)
        panel = np.concatenate([rib(left), sag, rib(right)[::-1]])
        colour = (main, second)[k % 2]
        texture = thing.texture if k % 2 == 0 else None
        parts.append(Part(panel, colour, texture, shade(main, 0.7)))
    return parts


def traffic_light(thing: Thing) -> list[Part]:
    """A dark box with three lamps, one of them lit, on a short pole."""
    body = thing.colours[0]
    parts = [
        Part(rect(-0.045, 0.2, 0.045, 0.5), GREY),
        Part(rect(-0.18, -0.5, 0.18, 0.28), body),
    ]
    lamps: tuple[Colour, ...] = ((235, 45, 35), (250, 200, 40), (40, 205, 90))
    lit = int(3 * thing.form[0])
    for k, lamp in enumerate(lamps):
        y = 0.245 * (k - 1) - 0.11
        parts.append(Part(disc(0, y, 0.115, 20), shade(body, 0.55)))
        colour = lamp if k == lit else shade(lamp, 0.55)
        parts.append(Part(disc(0, y, 0.095, 20), colour))
    return parts


def car(thing: Thing) -> list[Part]:
    """A side view: body, cabin with two windows, lights and two wheels."""
    body, second = thing.colours[:2]
    rear, roof = -0.36 - 0.1 * thing.form[0], -0.25 - 0.06 * thing.form[1]
    cabin = [(rear, -0.04), (rear + 0.09, roof), (0.1, roof), (0.27, -0.04)]
    glass = [(-0.18, -0.05), (-0.18, roof + 0.05)]
    rear_window = [(rear + 0.07, -0.05), (rear + 0.13, roof + 0.05)]
    front_window = [(0.2, -0.05), (0.075, roof + 0.05)]
    hull = [(-0.5, 0.0), (-0.46, -0.06), (0.3, -0.06), (0.46, -0.01)]
    hull += [(0.5, 0.06), (0.5, 0.17), (-0.5, 0.17)]
    pane = (150, 190, 210)
    parts = [
        Part(np.array(cabin), shade(body, 0.85)),
        Part(np.array(rear_window + glass[::-1]), pane),
        Part(np.array(front_window + glass[::-1]) + (0.03, 0), pane),
        Part(np.array(hull), body, thing.texture, second),
        Part(rect(-0.5, 0.125, 0.5, 0.17), shade(body, 0.55)),
        Part(rect(0.44, 0.02, 0.5, 0.08), (250, 235, 160)),
        Part(rect(-0.5, 0.02, -0.45, 0.08), (200, 30, 30)),
    ]
    for x in (-0.29, 0.29):
        parts.append(Part(disc(x, 0.17, 0.115, 20), DARK))
        parts.append(Part(disc(x, 0.17, 0.055, 12), (190, 190, 195)))
    return parts


SHAPES: dict[str, Callable[[Thing], list[Part]]] = {
    'person': person,
    'car': car,
    'traffic light': traffic_light,
    'stop sign': stop_sign,
    'umbrella': umbrella,
    'sports ball': sports_ball,
    'kite': kite,
    'clock': clock,
}
