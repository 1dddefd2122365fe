"""Slurm on this machine, two nodes of it, and tools/slurm_train.sh.

Needs Debian's slurm-wlm and munge, and the right to start their daemons.
"""

import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from .. import ROOT
from .trial import Trial, different

NEEDED = 'slurmctld', 'slurmd', 'munged', 'sbatch'
LIMIT = 600
CONFIG = """
ClusterName=ordeal
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort=26817
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=bf_interval=2,requeue_delay=1
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=10
JobRequeue=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
GresTypes=gpu
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
NodeName=o1 NodeHostname={host} NodeAddr=127.0.0.1 Port=27001 {node}
NodeName=o2 NodeHostname={host} NodeAddr=127.0.0.1 Port=27002 {node}
PartitionName=low Nodes=o1,o2 Default=YES PriorityTier=1 GraceTime=60
PartitionName=high Nodes=o1,o2 PriorityTier=9 PreemptMode=off
"""
NODE = 'CPUs=4 RealMemory=4000 Gres=gpu:1'


class Cluster:
    """Its daemons, for as long as a ``with`` lasts.

    Args:
        folder: Of its files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> 'Cluster':
        folder = self.folder
        for name in ('state', 'spool.o1', 'spool.o2', 'munge'):
            (folder / name).mkdir(parents=True)
        host = os.uname().nodename.partition('.')[0]
        (folder / 'slurm.conf').write_text(
            CONFIG.format(host=host, folder=folder, node=NODE)
        )
        # Slurm counts the files of its GPUs: the null device is one here.
        os.mknod(folder / 'gpu0', 0o600 | stat.S_IFCHR, os.makedev(1, 3))
        (folder / 'gres.conf').write_text(
            f'NodeName=o[1-2] Name=gpu File={folder}/gpu0\n'
        )
        (folder / 'cgroup.conf').write_text('CgroupPlugin=autodetect\n')
        key = folder / 'munge/key'
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        munge = folder / 'munge'
        shutil.chown(munge, 'munge')
        shutil.chown(key, 'munge')
        # It asks for folders that everybody may pass.
        munge.chmod(0o755)
        folder.chmod(0o755)
        folder.parent.chmod(0o755)
        os.environ['SLURM_CONF'] = str(folder / 'slurm.conf')
        self.run(
            'munged', '--force', f'--key-file={key}',
            f'--socket={munge}/socket', f'--log-file={munge}/log',
            f'--pid-file={munge}/munged.pid', f'--seed-file={munge}/seed',
        )  # fmt: skip
        self.run('slurmctld')
        for node in ('o1', 'o2'):
            self.run('slurmd', '-N', node, '-f', str(folder / 'slurm.conf'))
        end = time.monotonic() + 60
        idle = {'o1 idle', 'o2 idle'}
        # A node is a line of each partition.
        while {*self.run('sinfo', '-Nho', '%N %T').splitlines()} != idle:
            if time.monotonic() > end:
                said = self.run('scontrol', 'show', 'nodes')[-300:]
                self.__exit__()
                raise RuntimeError(f'no cluster: {said}')
            time.sleep(1)
        return self

    def __exit__(self, *_: object) -> None:
        self.run('scancel', '-u', 'root')
        time.sleep(2)
        for path in self.folder.rglob('*.pid'):
            with contextlib.suppress(OSError, ValueError):
                os.kill(int(path.read_text()), signal.SIGTERM)
        os.environ.pop('SLURM_CONF', None)

    def has(self, number: str) -> bool:
        """Whether a job waits or runs."""
        return number in self.run('squeue', '-h', '-o', '%i').split()

    @staticmethod
    def run(*command: str) -> str:
        """What a command prints."""
        return subprocess.run(
            command, capture_output=True, text=True, timeout=60
        ).stdout


def trials(trial: Trial, _: object) -> Iterator[tuple[str, int, list[str]]]:
    """Yields kind, tried, what went wrong."""
    if not all(map(shutil.which, NEEDED)):
        yield 'Slurm (not installed)', 0, []
        return
    more = '--cfg-options', 'train_cfg.max_epochs=8'
    whole = f'{trial.task}_long'
    if trial.run(whole, *more):
        yield 'Slurm', 1, [f'{whole}: does not end']
        return
    wanted = trial.result(whole)
    with Cluster(trial.folder / 'slurm') as cluster:
        name = 's_preempted'
        number = _submit(trial, name, more)
        there = partial(cluster.has, number)
        said = _wait_for(trial, name, there)
        if not said:
            high = 'sbatch', '-p', 'high', '-N2', '--exclusive', '-o'
            cluster.run(*high, '/dev/null', '--wrap', 'sleep 5')
            said = _ends(trial, cluster, name, number, wanted, again=1)
        yield 'Slurm: preempted', 1, [f'{name}: {said}'] if said else []

        name = 's_signal'
        number = _submit(trial, name, more)
        there = partial(cluster.has, number)
        said = _wait_for(trial, name, there)
        if not said:
            # As --signal=USR1@120 does before the time is over.
            cluster.run('scancel', '-s', 'USR1', number)
            said = _ends(trial, cluster, name, number, wanted, again=1)
        yield 'Slurm: signal, requeued', 1, [f'{name}: {said}'] if said else []

        name = 's_two_nodes'
        log = open(trial.folder / f'{name}.log', 'w')
        process = subprocess.Popen(
            _command(trial, name, more), cwd=trial.folder, stdout=log,
            stderr=log, env=_environment(GPUS='2', MASTER_ADDR=_address()),
        )  # fmt: skip
        said = _wait_for(trial, name, lambda: process.poll() is None)
        if not said:
            step = cluster.run('squeue', '-h', '-o', '%i').split()[:1]
            cluster.run('scancel', '-s', 'USR1', *step)
            said = _ended(trial, name, process)
        yield (
            'Slurm: two nodes, signal',
            1,
            [f'{name}: {said}'] if said else [],
        )


def _environment(**more: str) -> dict[str, str]:
    own = dict(GPUS='1', GPUS_PER_NODE='1', CPUS_PER_TASK='2')
    return {**os.environ, 'PYTHON': sys.executable, **own, **more}


def _command(trial: Trial, name: str, more: tuple[str, ...]) -> list[str]:
    return [
        str(ROOT / 'tools/slurm_train.sh'), 'low', name, str(trial.config),
        '--no-checks', '--work-dir', name, *more,
    ]  # fmt: skip


def _submit(trial: Trial, name: str, more: tuple[str, ...]) -> str:
    """Submits a training; the number of its job."""
    done = subprocess.run(
        ['sbatch', '--parsable', '-p', 'low', '-N1', '-c2',
         '--gres=gpu:1', '--requeue', '--open-mode=append', '-o',
         f'{name}.log', '--wrap', ' '.join(_command(trial, name, more))],
        cwd=trial.folder, env=_environment(), capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout.strip()


def _address() -> str:
    """Of this machine: the names of the nodes are Slurm's alone."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.connect(('192.0.2.1', 9))  # which sends nothing
        return found.getsockname()[0]


def _wait_for(trial: Trial, name: str, there: Callable[[], bool]) -> str:
    """Waits until a job trains its second epoch; what is wrong."""
    end = time.monotonic() + LIMIT
    path = trial.folder / f'{name}.log'
    text = ''
    while time.monotonic() < end:
        lives = there()
        text = path.read_text(errors='replace') if path.exists() else ''
        if 'Epoch(train) [2]' in text:
            return ''
        if not lives:
            break
        time.sleep(0.5)
    return f'does not start: {text[-300:]}'


def _ends(
    trial: Trial,
    cluster: Cluster,
    name: str,
    number: str,
    wanted: dict,
    again: int,
) -> str:
    """What is wrong with the end of a job, '' for nothing."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        if not cluster.has(number):
            break
        time.sleep(0.5)
    else:
        return f'hangs: {trial.log(name)[-300:]}'
    text = trial.log(name)
    if 'Traceback' in text:
        return 'a traceback'
    if text.count('stopped at epoch') != again:
        return f'stopped {text.count("stopped at epoch")} times'
    try:
        bad = different(trial.result(name), wanted)
    except OSError as error:
        return f'{error}: {text[-300:]}'
    return f'{len(bad)} tensors differ' if bad else ''


def _ended(trial: Trial, name: str, process: subprocess.Popen) -> str:
    """What is wrong with the end of slurm_train.sh itself."""
    try:
        code = process.wait(LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        return f'hangs: {trial.log(name)[-300:]}'
    text = trial.log(name)
    if code or 'Traceback' in text:
        return f'exit status {code}: {text[-300:]}'
    return '' if 'stopped at epoch' in text else 'was not stopped'
