"""What a process of training or testing does before anything else.

It ends with the torchrun that started it, also while it still imports, and it
answers signals in one line until the training listens to them itself.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
STOPPED_STATUS = 75  # mmuniformer/engine/signals.py
# Set by _torchrun.py. Children of this process have another parent.
LAUNCHER = os.environ.pop('MMUNIFORMER_LAUNCHER', '')


def end_with_launcher():
    """Leaves no orphan, which would hold GPUs and write to the work dir."""
    if sys.platform == 'linux' and 'RANK' in os.environ:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if LAUNCHER and os.getppid() != int(LAUNCHER):
            os._exit(1)  # it was gone before


def leave(number, _):
    """Ends the process at once; there is nothing to save yet."""
    if os.environ.get('RANK', '0') == '0':
        name = signal.Signals(number).name
        os.write(2, f'stopped by {name}; nothing was saved\n'.encode())
    interrupted = number == signal.SIGINT
    os._exit(128 + number if interrupted else STOPPED_STATUS)


end_with_launcher()
for _signal in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
    signal.signal(_signal, leave)
