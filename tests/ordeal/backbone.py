"""Gives a network a weight file: backbone.py CONFIG FILE."""

import sys

import _env  # noqa: F401
from mmengine.config import Config
from mmengine.registry import MODELS

import mmuniformer.models  # noqa: F401
from mmuniformer.engine.config import exit_with
from mmuniformer.engine.ending import run_tool


def main():
    """Builds it and loads the file."""
    cfg = Config.fromfile(sys.argv[1]).model.backbone
    cfg.init_cfg = dict(
        type='Pretrained', checkpoint=sys.argv[2], prefix='backbone.'
    )
    MODELS.build(cfg).init_weights()


if __name__ == '__main__':
    run_tool(main, exit_with)
