"""Small labelled scenes from a seed, to try things on without any download.

A :class:`World` gives scenes, :func:`render` turns a scene into pixels, masks
and joints, and a writer for each data layout puts them into files.
"""

from .ade import label_map
from .coco import annotate
from .keypoints import annotate_people, detect
from .layout import Layout, Shot
from .render import Rendered, render
from .sampling import sample_scene, sample_thing
from .scene import JOINTS, STUFF, Layer, Person, Scene, Texture, Thing
from .world import LIMITS, World
from .writer import CLIP_LAYOUTS, LAYOUTS, write_coco, write_world

__all__ = [
    'CLIP_LAYOUTS',
    'JOINTS',
    'LAYOUTS',
    'LIMITS',
    'STUFF',
    'Layer',
    'Layout',
    'Person',
    'Rendered',
    'Scene',
    'Shot',
    'Texture',
    'Thing',
    'World',
    'annotate',
    'annotate_people',
    'detect',
    'label_map',
    'render',
    'sample_scene',
    'sample_thing',
    'write_coco',
    'write_world',
]
