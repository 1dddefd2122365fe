"""Tests; the folders mirror the package."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# A size of some ten thousand parameters.
TINY = dict(depths=(1, 1, 2, 1), embed_dims=(8, 16, 24, 32), head_dim=8)
