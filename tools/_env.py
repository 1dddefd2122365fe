"""Lets the tools run from a clone, inside the project's environment or not."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

if find_spec('mmengine') is None:
    python = ROOT / '.venv/bin/python'
    if not python.exists() or sys.prefix == str(ROOT / '.venv'):
        sys.exit(
            f'error: {sys.executable} has no mmengine; run `make setup`, or '
            f'use the Python of your OpenMMLab environment'
        )
    os.execv(python, [str(python), *sys.argv])
