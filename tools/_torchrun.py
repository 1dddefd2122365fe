"""torchrun that waits for a step to be saved, and speaks in one line.

torchrun answers a signal with a traceback and ends its processes. This one
hands signals on and lets the processes end by themselves. It says in a line
what became of a process that died, and has its exit status.
"""

import logging
import os
import signal
import sys
import time
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

os.environ['MMUNIFORMER_LAUNCHER'] = str(os.getpid())

sys.path.insert(0, str(Path(__file__).parent))  # PYTHONSAFEPATH leaves it out

from _meeting import HOST, MeetingError, meet_from_environment, tell

HANDED_ON = signal.SIGINT, signal.SIGTERM, signal.SIGUSR1


def leave(number, _):
    """Ends before any process was started."""
    name = signal.Signals(number).name
    os.write(2, f'stopped by {name}; nothing was saved\n'.encode())
    os._exit(130 if number == signal.SIGINT else 75)


if __name__ == '__main__':  # before PyTorch takes its seconds
    for number in HANDED_ON:
        signal.signal(number, leave)
    if find_spec('torch') is None:
        why = (
            f'{sys.executable} has no torch; run `make setup`, or set PYTHON '
            f'to the one of your OpenMMLab environment'
        )
        print(f'error: {why}', file=sys.stderr)
        tell(why)
        sys.exit(2)
    try:
        meet_from_environment(sys.argv[1:])
    except MeetingError as error:
        print(f'error: {error}', file=sys.stderr)
        sys.exit(2)

from torch.distributed import TCPStore  # noqa: E402
from torch.distributed.elastic.multiprocessing import api, errors  # noqa: E402
from torch.distributed.run import main  # noqa: E402

QUIET = {  # their processes have said what there is to say
    2: 'bad input',
    75: 'stopped, to be started again',
    130: 'interrupted',
    3: 'lost another one',
}
STOPPED = {75, 130}
OOM = Path('/sys/fs/cgroup/memory.events')
# As mmuniformer/engine/heartbeat.py: a key in the store of all nodes, what
# it is after a process has died, and longer than others take to look.
BEAT = 'mmuniformer/{TORCHELASTIC_RUN_ID}/{again}/beat/{RANK}'
FAILED = f'-2 {HOST}'
LOOK_SECONDS = 6

contexts = []
received = []
start = api.PContext.start


def start_and_remember(self):
    """Starts the processes, and listens for them."""
    contexts.append(self)
    start(self)
    for number in HANDED_ON:
        signal.signal(number, hand_on)


def hand_on(number, _):
    """Gives a signal to the processes; ends by itself if there are none."""
    received.append(number)
    pids = [pid for context in contexts for pid in context.pids().values()]
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass
    if not pids:
        leave(number, None)


def killed_for_memory():
    """How many processes Linux has ended here for want of memory."""
    try:
        counts = dict(line.split() for line in OOM.read_text().splitlines())
        return int(counts.get('oom_kill', 0))
    except (OSError, ValueError):
        return 0


def say(failure, rank, before):
    """One line about a process that has died."""
    code = failure.exitcode
    if code >= 0:
        return (
            f'error: process {rank} ended with exit status {code}; what it '
            f'said is above'
        )
    name = signal.Signals(-code).name
    if -code == signal.SIGKILL:
        sure = killed_for_memory() > before
        why = 'this machine was' if sure else 'most likely it was'
        return (
            f'error: process {rank} was killed (SIGKILL): {why} out of '
            f'memory; wanted fewer processes, a smaller '
            f'train_dataloader.batch_size or fewer num_workers. --resume '
            f'auto goes on from the last checkpoint'
        )
    return f'error: process {rank} was ended by {name}'


def tell_others():
    """Lets the processes of other nodes know that those of this one died."""
    if int(os.environ.get('NNODES', 1)) < 2:
        return
    try:
        for own in contexts[-1].envs.values():
            limit = timedelta(seconds=5)
            store = TCPStore(
                own['MASTER_ADDR'], int(own['MASTER_PORT']), timeout=limit
            )
            again = own['TORCHELASTIC_RESTART_COUNT']
            store.set(BEAT.format(again=again, **own), FAILED)
        if os.environ.get('NODE_RANK') == '0':
            time.sleep(LOOK_SECONDS)  # the store ends with this process
    except (LookupError, OSError, RuntimeError):
        pass  # the first node is gone, which is seen without a word


def first_line(error):
    """The gist of an error of torchrun itself."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:300]


if __name__ == '__main__':
    api.PContext.start = start_and_remember
    api._terminate_process_handler = hand_on
    before = killed_for_memory()
    for name in list(logging.root.manager.loggerDict):
        if name.startswith('torch.distributed.elastic'):
            logging.getLogger(name).disabled = True
    try:
        main()
    except errors.ChildFailedError as error:
        failed = sorted(error.failures.items(), key=lambda x: x[1].timestamp)
        codes = [failure.exitcode for _, failure in failed]
        quiet = [code for code in codes if code in QUIET]
        if received and quiet:
            sys.exit(quiet[0])
        # What was killed is the cause; the others have lost it.
        died = [x for x in failed if x[1].exitcode < 0] or [
            x for x in failed if x[1].exitcode not in QUIET
        ]
        if died:
            print(say(died[0][1], died[0][0], before), file=sys.stderr)
        if not STOPPED.issuperset(codes):
            tell_others()
        sys.exit(1 if died else quiet[0])
    except (OSError, RuntimeError) as error:
        # Of the meeting of nodes: a taken port, a host that is not there.
        print(f'error: torchrun: {first_line(error)}', file=sys.stderr)
        sys.exit(1)
