#!/usr/bin/env python3
"""Speed and memory of models, side by side: throughput.py --arch s."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import _env  # noqa: F401

from mmuniformer.analysis.throughput import main

if __name__ == '__main__':
    main()
