"""Two nodes on one machine: network namespaces joined by a link.

Needs the right to make namespaces (root). Every fault must be named, in a
line, on the node that still runs, in under two minutes.
"""

import os
import re
import subprocess
import sys
import time

from .. import ROOT
from .trial import LONG

NAMES = 'ordeal0', 'ordeal1'
ADDRESSES = '10.77.0.1', '10.77.0.2'
LIMIT = 120


def sh(command):
    """Runs a line of shell; its exit status."""
    return subprocess.run(
        command, shell=True, capture_output=True, text=True
    ).returncode


class Net:
    """Two namespaces and the link between them; whether they are there."""

    def __enter__(self):
        self.__exit__()
        for name in NAMES:
            self.there = sh(f'ip netns add {name}') == 0
        sh(
            f'ip link add veth0 netns {NAMES[0]} type veth peer name veth1 '
            f'netns {NAMES[1]}'
        )
        for i, name in enumerate(NAMES):
            do = f'ip netns exec {name} ip'
            sh(f'{do} addr add {ADDRESSES[i]}/24 dev veth{i}')
            sh(f'{do} link set veth{i} up')
            sh(f'{do} link set lo up')
        return self

    def __exit__(self, *_):
        for name in NAMES:
            sh(f'ip netns del {name}')

    def cut(self):
        """Cuts the link: no packet, no sign."""
        sh(f'ip netns exec {NAMES[0]} ip link set veth0 down')

    def mend(self):
        """Joins it again."""
        sh(f'ip netns exec {NAMES[0]} ip link set veth0 up')


def start(trial, name, node, *options, **changes):
    """Begins the training of one node, with one process."""
    settings = dict(
        PYTHON=sys.executable,
        OMP_NUM_THREADS='1',
        NNODES='2',
        NODE_RANK=str(node),
        MASTER_ADDR=ADDRESSES[0],
        PORT='29611',
        MEETING_SECONDS='25',
    )
    log = open(trial.folder / f'{name}_{node}.log', 'w')
    return subprocess.Popen(
        [
            'ip', 'netns', 'exec', NAMES[node],
            str(ROOT / 'tools/dist_train.sh'), str(trial.config), '1',
            '--no-checks', '--work-dir', name, *options,
        ],
        cwd=trial.folder, env={**os.environ, **settings, **changes},
        stdout=log, stderr=log,
    )  # fmt: skip


def said(trial, name, node):
    """The lines of one node that are for people."""
    text = (trial.folder / f'{name}_{node}.log').read_text(errors='replace')
    return text, re.findall(r'^(?:error: |stopped ).*', text, re.MULTILINE)


def wait_for(trial, name, node, text):
    """Until a node has said something."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        path = trial.folder / f'{name}_{node}.log'
        if path.exists() and text in path.read_text(errors='replace'):
            return
        time.sleep(0.2)


def ends(
    trial, name, processes, wanted, nodes=(0, 1), status=None, limit=LIMIT
):
    """What is wrong with how nodes end, as a list of lines."""
    begin = time.monotonic()
    wrong = []
    for process in processes:
        try:
            process.wait(max(limit - (time.monotonic() - begin), 1))
        except subprocess.TimeoutExpired:
            process.kill()
            wrong.append(f'{name}: hangs for more than {limit} s')
    for node in nodes:
        text, lines = said(trial, name, node)
        if wanted and not any(re.search(wanted, x) for x in lines):
            last = (text.strip().splitlines() or ['nothing'])[-1][:200]
            wrong.append(f'{name}: node {node} says {lines or last}')
        if 'Traceback' in text:
            wrong.append(f'{name}: a traceback on node {node}')
    if status is not None:
        codes = [p.returncode for p in processes]
        if codes != [status] * len(codes):
            wrong.append(f'{name}: exit status {codes}, wanted {status}')
    return wrong


def trials(trial):
    """Yields kind, tried, what went wrong."""
    with Net() as net:
        if not net.there:
            return
        name = 'n_good'
        both = [start(trial, name, n) for n in (0, 1)]
        said = ends(trial, name, both, '', status=0, limit=LONG)
        yield 'nodes: good', 1, said

        name = 'n_missing'
        one = [start(trial, name, 0)]
        wanted = 'waits on port 29611 for node 1'
        yield 'nodes: one missing', 1, ends(trial, name, one, wanted, [0])

        name = 'n_port'
        both = [start(trial, name, 0), start(trial, name, 1, PORT='29612')]
        wanted = 'does not reach|waits on port'
        yield 'nodes: wrong port', 1, ends(trial, name, both, wanted)

        name = 'n_twice'
        both = [start(trial, name, 0), start(trial, name, 1, NODE_RANK='0')]
        yield 'nodes: number twice', 1, ends(trial, name, both, 'node|waits')

        name = 'n_local'
        one = [start(trial, name, 1, MASTER_ADDR='localhost')]
        wanted = 'is this machine itself'
        yield 'nodes: 127.0.0.1', 1, ends(trial, name, one, wanted, [1])

        name = 'n_config'
        lr = '--cfg-options', 'optim_wrapper.optimizer.lr=0.5'
        both = [start(trial, name, 0), start(trial, name, 1, *lr)]
        yield 'nodes: configs differ', 1, ends(trial, name, both, 'differ|0.5')

        name = 'n_bare'
        bare = dict(PYTHON='/usr/bin/python3')  # which has no torch
        both = [start(trial, name, 0), start(trial, name, 1, **bare)]
        wanted = 'python3 has no torch'
        yield 'nodes: one without torch', 1, ends(trial, name, both, wanted)

        name = 'n_error'
        plain, trial.config = trial.config, trial.folder / f'{name}.py'
        trial.config.write_text(
            f'_base_ = {str(plain)!r}\n'
            f"data = '{{{{$DATA:data/imagenet}}}}'\n"
            f'train_dataloader = dict(dataset=dict(data_root=data))\n'
        )
        both = [start(trial, name, 0), start(trial, name, 1, DATA='/nowhere')]
        trial.config = plain
        wanted = '/nowhere|has ended'
        said = ends(trial, name, both, wanted)
        yield 'nodes: an error on one', 1, said

        more = '--cfg-options', 'train_cfg.max_epochs=900'
        name = 'n_killed'
        both = [start(trial, name, n, *more) for n in (0, 1)]
        wait_for(trial, name, 0, 'Epoch(train)')
        both[1].kill()
        wanted = 'has lost another|not been heard|cannot be reached|process'
        yield 'nodes: one killed', 1, ends(trial, name, both, wanted, [0])

        name = 'n_cut'
        both = [start(trial, name, n, *more) for n in (0, 1)]
        wait_for(trial, name, 0, 'Epoch(train)')
        net.cut()
        yield 'nodes: link cut', 1, ends(trial, name, both, wanted)
        net.mend()
