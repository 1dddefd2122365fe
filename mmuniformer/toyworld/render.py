"""From a scene to pixels, masks and joints: a pure function.

Shapes are filled at ``FINE`` times the resolution and averaged, so edges are
smooth; a pixel belongs to the mask of a thing where the thing covers at least
half of it. Only integer arithmetic touches the pixels.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .geometry import Part, Points, pattern, place
from .person import skeleton
from .scene import STUFF, Colour, Layer, Person, Scene, Thing
from .shapes import SHAPES

FINE = 4  # a power of two
Array = NDArray[Any]
_SHIFT = 4  # fractional bits of the corners of a polygon


@dataclass(frozen=True)
class Rendered:
    """What the camera sees.

    Attributes:
        image: (H, W, 3) uint8, red green blue.
        owner: (H, W) int16, index in ``Scene.things`` of the thing that is
            seen at each pixel, -1 for background.
        stuff: (H, W) uint8, index in ``STUFF`` of the background, also where
            a thing hides it.
        joints: Per person, by its index in ``Scene.things``: (17, 3) float
            x, y, visibility as in COCO (2 visible, 1 hidden, 0 outside the
            picture, then x = y = 0).
    """

    image: NDArray[np.uint8]
    owner: NDArray[np.int16]
    stuff: NDArray[np.uint8]
    joints: dict[int, NDArray[np.float64]]

    def mask(self, index: int) -> NDArray[np.bool_]:
        """The visible part of a thing."""
        return self.owner == index


def render(scene: Scene) -> Rendered:
    """Draws a scene."""
    shape = scene.height, scene.width
    image: Array = np.zeros((*shape, 3), np.uint8)
    stuff = np.zeros(shape, np.uint8)
    owner = np.full(shape, -1, np.int16)
    for layer in scene.layers:
        _draw_layer(layer, image, stuff)
    stamps = [_stamp(thing, shape) for thing in scene.things]
    for index, stamp in enumerate(stamps):
        _press(stamp, index, image, owner)
    if scene.grain:
        rng = np.random.default_rng(scene.grain_seed)
        reach = scene.grain
        noise = rng.integers(-reach, reach + 1, image.shape, np.int8)
        image = cv2.add(image, noise, dtype=cv2.CV_8U)  # saturates
    joints = {
        index: _see_joints(thing, stamps[index], owner == index)
        for index, thing in enumerate(scene.things)
        if isinstance(thing, Person)
    }
    return Rendered(image, owner, stuff, joints)


def paste(thing: Thing, image: NDArray[np.uint8]) -> None:
    """Draws a thing over a picture, (H, W, 3), in place."""
    shape = image.shape[0], image.shape[1]
    _press(_stamp(thing, shape), 0, image, np.empty(shape, np.int16))


@dataclass(frozen=True)
class _Stamp:
    """A thing drawn by itself, ``FINE`` times enlarged.

    Attributes:
        labels: What is on top: 0 nothing, else 1 + index in the next two.
        colours: Colour of each label.
        parts: Part of each label.
        left: Column of the picture at which the stamp begins.
        top: Row of the picture at which the stamp begins.
    """

    labels: Array
    colours: list[Colour]
    parts: list[Part]
    left: int
    top: int


def _stamp(thing: Thing, shape: tuple[int, int]) -> _Stamp:
    """Draws the parts of a thing as far as they lie in the picture."""
    parts = SHAPES[thing.name](thing)

    def put(points: Points) -> Points:
        pose = thing.x, thing.y, thing.size, thing.angle, thing.flip
        return place(points, *pose)

    outlines = [put(part.points) for part in parts]
    left, top, right, bottom = _clip(np.concatenate(outlines), shape)
    labels = np.zeros(((bottom - top) * FINE, (right - left) * FINE), np.uint8)
    if not labels.size:
        return _Stamp(labels, [], [], left, top)
    colours, owners = [], []
    for part, outline in zip(parts, outlines, strict=True):
        colours.append(part.colour)
        owners.append(part)
        label = len(colours)
        _fill(labels, outline[None], left, top, FINE, label)
        if part.texture is None or part.texture.kind == 'plain':
            continue
        box = (*part.points.min(0), *part.points.max(0))
        ink = np.zeros_like(labels)
        _fill(ink, put(pattern(part.texture, box)), left, top, FINE, 1)
        labels += ink & (labels == label)
        colours.append(part.ink)
        owners.append(part)
    return _Stamp(labels, colours, owners, left, top)


def _press(
    stamp: _Stamp,
    index: int,
    image: Array,
    owner: Array,
) -> None:
    """Puts a stamp into the picture, in place."""
    height, width = (n // FINE for n in stamp.labels.shape)
    if not height or not width:
        return
    table = np.zeros((1, 256, 4), np.uint8)
    for label, colour in enumerate(stamp.colours, 1):
        table[0, label] = (*colour, 255)
    fine = cv2.LUT(cv2.merge([stamp.labels] * 4), table)
    coarse = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)
    there = (
        slice(stamp.top, stamp.top + height),
        slice(stamp.left, stamp.left + width),
    )
    cover = coarse[..., 3]
    image[there] = _veil(image[there], cover) + coarse[..., :3]
    owner[there][cover >= 128] = index


def _draw_layer(layer: Layer, image: Array, stuff: Array) -> None:
    """Puts a piece of background into the picture, in place."""
    outline = np.array(layer.outline)
    left, top, right, bottom = _clip(outline, stuff.shape)
    if left == right or top == bottom:
        return
    there = slice(top, bottom), slice(left, right)
    cover = _cover(outline[None], (left, top, right, bottom))
    seen: Array = cover
    if layer.opacity < 1:
        seen = cv2.convertScaleAbs(cover, alpha=layer.opacity)
    rows = np.arange(top, bottom) - int(outline[:, 1].min())
    span = max(1, int(np.ptp(outline[:, 1])))
    change = np.subtract(layer.bottom, layer.top)
    shades = layer.top + rows[:, None] * change // span
    ink = [(seen, shades[:, None].astype(np.uint8))]
    if layer.texture is not None:
        box = (*outline.min(0), *outline.max(0))
        marks = _cover(pattern(layer.texture, box), (left, top, right, bottom))
        ink.append((cv2.min(marks, seen), np.array([[layer.ink]], np.uint8)))
    for alpha, colour in ink:
        paint = _veil(np.broadcast_to(colour, image[there].shape), ~alpha)
        image[there] = _veil(image[there], alpha) + paint
    if layer.opacity >= 0.5:
        stuff[there][cover >= 128] = STUFF.index(layer.stuff)


def _see_joints(who: Person, stamp: _Stamp, mask: Array) -> Array:
    """Where the joints are, and which of them can be seen."""
    pose = who.x, who.y, who.size, who.angle, who.flip
    points = place(np.array(skeleton(who)), *pose)
    result = np.zeros((len(points), 3))
    for joint, (x, y) in enumerate(points):
        if not (0 <= x < mask.shape[1] and 0 <= y < mask.shape[0]):
            continue
        column, row = int((x - stamp.left) * FINE), int((y - stamp.top) * FINE)
        label = stamp.labels[row, column]
        own = label > 0 and joint in stamp.parts[label - 1].joints
        seen = own and mask[int(y), int(x)]
        result[joint] = x, y, 2 if seen else 1
    return result


def _clip(points: Points, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The box of whole pixels around some points, cut to the picture."""
    left, top = np.floor(points.min(0)).astype(int)
    right, bottom = np.ceil(points.max(0)).astype(int)
    xs = (min(max(x, 0), shape[1]) for x in (left, right))
    ys = (min(max(y, 0), shape[0]) for y in (top, bottom))
    (left, right), (top, bottom) = xs, ys
    return left, top, right, bottom


def _fill(
    canvas: Array,
    polygons: Points,
    left: int,
    top: int,
    fine: int,
    value: int,
) -> None:
    """Fills polygons (n, corners, 2) of the picture into an enlarged crop."""
    # OpenCV's whole numbers are centres of pixels, ours are their edges.
    corners = (polygons - (left, top)) * fine - 0.5
    corners = np.floor(corners * (1 << _SHIFT) + 0.5).astype(np.int32)
    cv2.fillPoly(canvas, list(corners), (value,), shift=_SHIFT)


def _cover(polygons: Points, box: tuple[int, int, int, int]) -> Array:
    """How much of each pixel of a box polygons cover, 0 to 255."""
    left, top, right, bottom = box
    size = right - left, bottom - top
    canvas = np.zeros((2 * size[1], 2 * size[0]), np.uint8)
    _fill(canvas, polygons, left, top, 2, 255)
    return cv2.resize(canvas, size, interpolation=cv2.INTER_AREA)


def _veil(colours: Array, cover: Array) -> Array:
    """Colours times (1 - cover), rounded."""
    product = colours * (255 - cover.astype(np.uint16))[..., None] + 128
    return ((product + (product >> 8)) >> 8).astype(np.uint8)
