"""Small labelled scenes from a seed, to try things on without any download.

A :class:`World` gives scenes, :func:`render` turns a scene into pixels, masks
and joints, and a writer for each data layout puts them into files.
"""

from .coco import annotate, write_coco
from .render import Rendered, render
from .sampling import sample_scene, sample_thing
from .scene import (
    JOINTS,
    STUFF,
    Layer,
    Person,
    Scene,
    Texture,
    Thing,
)
from .world import LIMITS, World

__all__ = [
    'JOINTS',
    'LIMITS',
    'STUFF',
    'Layer',
    'Person',
    'Rendered',
    'Scene',
    'Texture',
    'Thing',
    'World',
    'annotate',
    'render',
    'sample_scene',
    'sample_thing',
    'write_coco',
]
