#!/usr/bin/env python3
"""What this project does on a GPU, in one command: gpu_report.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import _env  # noqa: F401

from mmuniformer.analysis.gpu.main import main

if __name__ == '__main__':
    main()
