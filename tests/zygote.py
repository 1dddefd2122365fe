"""Runs tools in forks of a process that has PyTorch and the hosts already.

To import them takes a new interpreter several times as long as a small tool
takes to do its work. ``Zygote`` is the side of the tests; run as a module,
this is the process that forks. It is as any tool after its imports: no test
has touched it.
"""

import importlib
import json
import os
import random
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from contextlib import suppress
from pathlib import Path

from . import ROOT

HOSTS = 'mmpretrain', 'mmdet', 'mmseg', 'mmpose', 'mmaction'
PARTS = 'models', 'datasets', 'evaluation', 'engine', 'visualization'
SCRIPTS = {'dist_train.sh': ('train.py', 1), 'dist_test.sh': ('test.py', 2)}


class Zygote:
    """Starts the process at the first run, and ends it.

    Args:
        seconds: That a run may take.
    """

    def __init__(self, seconds=300):
        self.seconds = seconds
        self.process = None

    def run(self, tool, *arguments, cwd=ROOT, processes=1):
        """As ``subprocess.run`` of a tool, or of several under a launcher.

        ``dist_train.sh`` and ``dist_test.sh`` become the processes that
        torchrun would start for them.
        """
        arguments = list(map(str, arguments))
        if tool in SCRIPTS:
            tool, files = SCRIPTS[tool]
            processes = int(arguments.pop(files))
        if processes > 1:
            arguments += ['--launcher', 'pytorch']
        with tempfile.TemporaryDirectory() as folder:
            outs = [str(Path(folder) / name) for name in ('out', 'err')]
            order = dict(
                argv=[str(ROOT / 'tools' / tool), *arguments],
                cwd=str(cwd),
                env=dict(os.environ),
                outs=outs,
                seconds=self.seconds,
                count=processes,
            )
            code = self._ask(order)
            texts = [Path(o).read_text(errors='replace') for o in outs]
        return subprocess.CompletedProcess(order['argv'], code, *texts)

    def end(self):
        """Ends the process, if there is one."""
        if self.process:
            self.process.stdin.close()
            self.process.wait()

    def _ask(self, order):
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, '-m', __name__],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        self.process.stdin.write(json.dumps(order) + '\n')
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


def run_forked(path, arguments, folder, outs):
    """Runs a script in this process, which is a fork.

    Args:
        path: Script.
        arguments: Of its command line.
        folder: Its working folder.
        outs: File for what it prints, and one for its errors.

    Returns:
        Its exit status.
    """
    code = 0
    try:
        for number, name in zip((1, 2), outs):
            os.dup2(
                os.open(name, os.O_CREAT | os.O_WRONLY | os.O_APPEND), number
            )
        sys.stdout, sys.stderr = os.fdopen(1, 'w'), os.fdopen(2, 'w')
        os.chdir(folder)
        sys.argv = [str(path), *map(str, arguments)]
        sys.path.insert(0, os.path.dirname(path))
        runpy.run_path(str(path), run_name='__main__')
    except SystemExit as error:
        code = error.code or 0
        if isinstance(code, str):
            print(code, file=sys.stderr)
            code = 1
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def fork(order, ranks):
    """Starts a process and returns its number."""
    pid = os.fork()
    if pid:
        return pid
    import numpy as np

    random.seed()
    np.random.seed()
    os.environ.clear()
    os.environ.update(order['env'], **ranks)
    path, *arguments = order['argv']
    os._exit(run_forked(path, arguments, order['cwd'], order['outs']))


def obey(order):
    """The exit status of the first process that fails, or 0."""
    ranks, count = [{}], order['count']
    if count > 1:
        with socket.create_server(('localhost', 0)) as server:
            port = str(server.getsockname()[1])
        shared = dict(
            MASTER_ADDR='localhost',
            MASTER_PORT=port,
            WORLD_SIZE=str(count),
            LOCAL_WORLD_SIZE=str(count),
        )
        ranks = [
            dict(shared, RANK=str(i), LOCAL_RANK=str(i)) for i in range(count)
        ]
    left = {fork(order, some) for some in ranks}
    code = 0

    def too_long(*_):
        for pid in left:
            os.kill(pid, signal.SIGKILL)

    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(order['seconds'])
    while left:
        pid, status = os.wait()
        left.discard(pid)
        code = code or os.waitstatus_to_exitcode(status)
        if code:
            too_long()
    signal.alarm(0)
    return code


def main():
    """Imports, then forks as it is told to."""
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)
    importlib.import_module('mmuniformer.engine.launch')
    importlib.import_module('mmuniformer.checks.start')
    for host in HOSTS:
        for part in PARTS:
            with suppress(ImportError):
                importlib.import_module(f'{host}.{part}')
    for line in sys.stdin:
        print(obey(json.loads(line)), file=answers, flush=True)


if __name__ == '__main__':
    main()
