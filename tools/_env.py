"""Lets the tools run from a clone, inside the project's environment or not."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

# Left behind by tools/setup_env.py: a log at once, a stamp in the end.
made = Path(sys.prefix)
if (made / 'setup.log').exists() and not (made / 'mmuniformer.json').exists():
    sys.exit(f'error: {made} is half set up; run `make setup` again')
for name in ('torch', 'mmengine'):
    if find_spec(name) is None:
        python = ROOT / '.venv/bin/python'
        if not python.exists() or sys.prefix == str(ROOT / '.venv'):
            sys.exit(
                f'error: {sys.executable} has no {name}; run `make setup`, or '
                f'use the Python of your OpenMMLab environment'
            )
        os.execv(python, [str(python), *sys.argv])

from mmuniformer.compat import for_tools  # noqa: E402

for_tools.install()
