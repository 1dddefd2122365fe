"""The scene model: what is in a picture, before any pixel is drawn.

A scene is plain frozen data. To move something (a video), use
``dataclasses.replace`` on its pose; to take something away, leave it out of
``Scene.things``. Lengths and positions are in pixels of the picture, x to the
right and y down, (0, 0) being the upper left corner of the picture; angles
are in degrees, clockwise.
"""

from dataclasses import dataclass

Colour = tuple[int, int, int]  # red, green, blue, 0 to 255
Point = tuple[float, float]

# What a background can be made of; names as in ADE20K's list of classes.
STUFF = (
    'sky',
    'mountain',
    'building',
    'tree',
    'grass',
    'earth',
    'sand',
    'road',
    'wall',
    'floor',
)

# The joints of a person, in COCO's order.
JOINTS = (
    'nose',
    'left_eye',
    'right_eye',
    'left_ear',
    'right_ear',
    'left_shoulder',
    'right_shoulder',
    'left_elbow',
    'right_elbow',
    'left_wrist',
    'right_wrist',
    'left_hip',
    'right_hip',
    'left_knee',
    'right_knee',
    'left_ankle',
    'right_ankle',
)


@dataclass(frozen=True)
class Texture:
    """A two-colour pattern.

    Attributes:
        kind: ``'plain' | 'stripes' | 'checks' | 'dots'``.
        pitch: Period of the pattern, as a fraction of the size of the thing.
        angle: Rotation of the pattern within the thing.
    """

    kind: str = 'plain'
    pitch: float = 0.2
    angle: float = 0.0


@dataclass(frozen=True)
class Layer:
    """One piece of background, painted over the layers before it.

    Attributes:
        stuff: One of ``STUFF``.
        outline: Polygon in pixels; it may reach beyond the picture.
        top: Colour at the upper end; it fades to ``bottom`` at the lower end.
        bottom: See ``top``.
        opacity: 0 to 1; a layer below one half leaves the stuff map alone.
        texture: Pattern over the colours, or None; its pitch is in pixels.
        ink: Colour of the pattern.
    """

    stuff: str
    outline: tuple[Point, ...]
    top: Colour
    bottom: Colour
    opacity: float = 1.0
    texture: Texture | None = None
    ink: Colour = (0, 0, 0)


@dataclass(frozen=True)
class Thing:
    """One countable object.

    Attributes:
        name: COCO's name of the class, a key of ``shapes.SHAPES``.
        x: Horizontal position of the centre.
        y: Vertical position of the centre.
        size: Largest extent of the shape before rotation.
        colours: Main colour, second colour, and so on; each shape says what
            it takes from here and what it fixes by itself.
        angle: Rotation.
        flip: Mirrored left to right, before rotation.
        texture: Pattern of the surface.
        form: Three numbers in [0, 1) that vary the shape within its class.
        crowd: Things of equal number are one crowd and are annotated as such.
    """

    name: str
    x: float
    y: float
    size: float
    colours: tuple[Colour, ...]
    angle: float = 0.0
    flip: bool = False
    texture: Texture = Texture()
    form: tuple[float, float, float] = (0.5, 0.5, 0.5)
    crowd: int | None = None


@dataclass(frozen=True)
class Person(Thing):
    """A stick figure.

    Its colours are shirt, pattern of the shirt, trousers, skin, hair.

    Limb angles are measured from straight down and open away from the body;
    the second segment's angle is relative to the first.

    Attributes:
        arms: Left shoulder, left elbow, right shoulder, right elbow.
        legs: Left hip, left knee, right hip, right knee.
        turn: Yaw of the head from -1 (towards the left of the picture) to 1.
        back: Seen from behind: the face is hidden, left and right swap.
    """

    arms: tuple[float, float, float, float] = (15.0, 5.0, 15.0, 5.0)
    legs: tuple[float, float, float, float] = (8.0, -4.0, 8.0, -4.0)
    turn: float = 0.0
    back: bool = False


@dataclass(frozen=True)
class Scene:
    """A whole picture.

    Attributes:
        width: Width of the picture.
        height: Height of the picture.
        layers: Background, far to near.
        things: Objects, far to near: later ones hide earlier ones.
        grain: Amplitude of the pixel noise, in grey levels.
        grain_seed: Seed of that noise.
    """

    width: int
    height: int
    layers: tuple[Layer, ...]
    things: tuple[Thing, ...]
    grain: int = 4
    grain_seed: int = 0
