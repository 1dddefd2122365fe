"""Stick-figure people and their joints.

Local coordinates as in :mod:`.shapes`: the head ends at y = -0.5, the feet of
somebody who stands straight at y = 0.5.
"""

import numpy as np

from .geometry import DARK, Part, arc, capsule, disc, shade, towards
from .scene import Colour, Person, Point, Thing

NOSE, LEFT_EYE, RIGHT_EYE, LEFT_EAR, RIGHT_EAR = range(5)
SHOULDERS, HIPS = (5, 6), (11, 12)
ARMS = ((5, 7, 9), (6, 8, 10))
LEGS = ((11, 13, 15), (12, 14, 16))
HEAD: Point = (0.0, -0.41)


def skeleton(who: Person) -> list[Point]:
    """Local positions of the 17 joints, in the order of ``scene.JOINTS``.

    Seen from the front, the person's left is on the right of the picture.
    """
    left = -1 if who.back else 1
    shift = 0.055 * who.turn
    face = [(shift, HEAD[1] + 0.02)]
    face += [(shift + s * 0.034, HEAD[1] - 0.008) for s in (left, -left)]
    face += [(s * 0.092, HEAD[1] + 0.01) for s in (left, -left)]

    def limb(s: int, root: Point, length: float, bends: tuple[float, ...]):
        middle = towards(root, length, s * bends[0])
        return root, middle, towards(middle, length, s * sum(bends))

    arms, legs = [], []
    for s, k in ((left, 0), (-left, 2)):
        arms.append(limb(s, (s * 0.1, -0.275), 0.155, who.arms[k : k + 2]))
        legs.append(limb(s, (s * 0.06, 0.04), 0.21, who.legs[k : k + 2]))
    return face + [p for pair in (arms, legs) for ps in zip(*pair) for p in ps]


def person(thing: Thing) -> list[Part]:
    """Legs, trunk, head and arms, in this order of depth."""
    if not isinstance(thing, Person):
        raise ValueError(f'thing={thing!r}: wanted a Person')
    shirt, second, trousers, skin = thing.colours[:4]
    j = skeleton(thing)

    def stroke(a: int, b: int, width: float, colour: Colour) -> Part:
        return Part(capsule(j[a], j[b], width), colour, joints=(a, b))

    parts = []
    for hip, knee, ankle in LEGS:
        parts.append(stroke(hip, knee, 0.1, trousers))
        parts.append(stroke(knee, ankle, 0.085, trousers))
        side = 1 if j[ankle][0] > 0 else -1
        toe = j[ankle][0] + 0.045 * side, j[ankle][1] + 0.005
        shoe = capsule(j[ankle], toe, 0.075)
        parts.append(Part(shoe, shade(trousers, 0.45), joints=(ankle,)))
    parts.append(Part(capsule((0, -0.28), HEAD, 0.075), shade(skin, 0.9)))
    trunk = (*SHOULDERS, *HIPS)
    for a, b, width in ((*SHOULDERS, 0.07), (*HIPS, 0.09)):
        parts.append(Part(capsule(j[a], j[b], width), shirt, joints=trunk))
    outline = np.array([(-0.13, -0.28), (0.13, -0.28), (0.1, 0.06)])
    outline = np.concatenate([outline, [(-0.1, 0.06)]])
    parts.append(Part(outline, shirt, thing.texture, second, trunk))
    parts += _head(thing, j)
    for shoulder, elbow, wrist in ARMS:
        parts.append(stroke(shoulder, elbow, 0.08, shade(shirt, 0.85)))
        parts.append(stroke(elbow, wrist, 0.07, skin))
    return parts


def _head(who: Person, j: list[Point]) -> list[Part]:
    """Head, hair and those features that can be seen."""
    skin, hair = who.colours[3:5]

    def seen(ear: int) -> bool:
        far = who.turn * j[ear][0] > 0
        return not (far and abs(who.turn) > 0.45)

    ears = tuple(ear for ear in (LEFT_EAR, RIGHT_EAR) if seen(ear))
    parts = [
        Part(disc(*j[ear], 0.028, 10), shade(skin, 0.9), joints=(ear,))
        for ear in ears
    ]
    skull = disc(*HEAD, 0.09, 20)
    if who.back:
        return [*parts, Part(skull, hair, joints=ears)]
    face = (NOSE, LEFT_EYE, RIGHT_EYE)
    parts.append(Part(skull, skin, joints=(*face, *ears)))
    parts.append(Part(arc(HEAD, 0.093, 0.093, 190, 350, 12), hair))
    for eye in (LEFT_EYE, RIGHT_EYE):
        parts.append(Part(disc(*j[eye], 0.015, 8), DARK, joints=(eye,)))
    nose = disc(*j[NOSE], 0.014, 8)
    parts.append(Part(nose, shade(skin, 0.7), joints=(NOSE,)))
    return parts
