"""Polygons from which everything is drawn.

All functions return float arrays of (x, y) points. Trigonometry is done on
Python floats and rounded to a subpixel grid when drawn, so that every machine
draws the same picture.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .scene import Colour, Point, Texture

Points = NDArray[np.float64]
Box = tuple[float, float, float, float]  # left, top, right, bottom
DARK: Colour = (32, 32, 36)


@dataclass(frozen=True)
class Part:
    """A polygon of a thing, painted over the parts before it.

    Attributes:
        points: Corners, local coordinates.
        colour: Fill.
        texture: Pattern over the fill, or None.
        ink: Colour of the pattern.
        joints: Indices of the joints that are seen if this part is on top.
    """

    points: Points
    colour: Colour
    texture: Texture | None = None
    ink: Colour = DARK
    joints: tuple[int, ...] = ()


def arc(
    centre: Point, rx: float, ry: float, start: float, end: float, n: int
) -> Points:
    """``n`` points on an ellipse from ``start`` to ``end`` degrees.

    0 degrees is to the right, 90 degrees down.
    """
    step = (end - start) / (n - 1)
    angles = [math.radians(start + step * i) for i in range(n)]
    return np.array(
        [
            (centre[0] + rx * math.cos(a), centre[1] + ry * math.sin(a))
            for a in angles
        ]
    )


def disc(x: float, y: float, radius: float, n: int = 28) -> Points:
    """A regular polygon of ``n`` corners, a circle for the eye."""
    return arc((x, y), radius, radius, 0, 360 - 360 / n, n)


def rect(left: float, top: float, right: float, bottom: float) -> Points:
    """A rectangle."""
    return np.array(
        [(left, top), (right, top), (right, bottom), (left, bottom)]
    )


def capsule(start: Point, end: Point, width: float) -> Points:
    """A thick stroke with round ends."""
    angle = math.degrees(math.atan2(end[1] - start[1], end[0] - start[0]))
    r = width / 2
    return np.concatenate(
        [
            arc(start, r, r, angle + 90, angle + 270, 7),
            arc(end, r, r, angle - 90, angle + 90, 7),
        ]
    )


def towards(start: Point, length: float, angle: float) -> Point:
    """The end of a segment; 0 degrees is down, 90 degrees to the right."""
    a = math.radians(angle)
    return start[0] + length * math.sin(a), start[1] + length * math.cos(a)


def place(
    points: Points, x: float, y: float, scale: float, angle: float, flip: bool
) -> Points:
    """Local coordinates to the picture: mirror, scale, rotate, move."""
    a = math.radians(angle)
    c, s = scale * math.cos(a), scale * math.sin(a)
    px = -points[..., 0] if flip else points[..., 0]
    py = points[..., 1]
    return np.stack([c * px - s * py + x, s * px + c * py + y], axis=-1)


def pattern(texture: Texture, box: Box) -> Points:
    """The inked polygons of a texture that cover a box.

    Args:
        texture: The pattern; its pitch is in the units of the box.
        box: The area to cover.

    Returns:
        Array of shape (polygons, corners, 2); the polygons do not overlap.
    """
    left, top, right, bottom = box
    reach = 0.5 * math.hypot(right - left, bottom - top)
    n = math.ceil(reach / texture.pitch)
    ticks = np.arange(-n, n + 1) * texture.pitch
    half = texture.pitch / 2
    if texture.kind == 'plain':
        return np.empty((0, 4, 2))
    if texture.kind == 'stripes':
        cell = rect(0, -reach, half, reach)
        grid = np.stack([ticks, 0 * ticks], -1)
    else:
        grid = np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2)
        if texture.kind == 'checks':
            cell = rect(0, 0, half, half)
            grid = np.concatenate([grid, grid + half])
        else:
            cell = disc(0, 0, 0.62 * half, 8)
    cells = grid[:, None] + cell
    centre = (left + right) / 2, (top + bottom) / 2
    return place(cells, *centre, 1.0, texture.angle, False)


def shade(colour: Colour, factor: float) -> Colour:
    """A darker (below 1) or lighter (above 1) colour."""
    r, g, b = (min(255, round(c * factor)) for c in colour)
    return r, g, b


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """``share`` of the second colour in the first."""
    r, g, b = (
        round(p + (q - p) * share) for p, q in zip(first, second, strict=True)
    )
    return r, g, b
