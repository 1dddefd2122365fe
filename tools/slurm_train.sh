#!/usr/bin/env bash
# Trains under Slurm: [GPUS=8 GPUS_PER_NODE=8 CPUS_PER_TASK=..] [SRUN_ARGS=..] \
#     tools/slurm_train.sh PARTITION JOB_NAME CONFIG [options of train.py]
# One torchrun per node, one process per GPU. Slurm sends SIGUSR1 two minutes
# before the time is over (NOTICE=120), SIGTERM before a preemption: the
# training saves and ends with status 75, and this script starts it again with
# --resume auto, at most REQUEUE=100 times; inside an sbatch job the job is
# requeued. The nodes meet at the first one's name, or at MASTER_ADDR.
set -eu
if [ $# -lt 3 ]; then
    sed -n '2,3s/^# //p' "$0" >&2
    exit 2
fi
partition=$1 job=$2 config=$3
shift 3
gpus=${GPUS:-8}
per_node=${GPUS_PER_NODE:-$((gpus < 8 ? gpus : 8))}
if [ $((gpus % per_node)) != 0 ]; then
    echo "error: GPUS=$gpus: wanted a multiple of GPUS_PER_NODE=$per_node" >&2
    exit 2
fi
for command in srun scontrol; do
    if ! command -v $command >/dev/null; then
        echo "error: there is no $command here; wanted a machine with Slurm, or tools/dist_train.sh" >&2
        exit 2
    fi
done
tools=$(cd "$(dirname "$0")" && pwd)
stopped=75                                  # tools/_torchrun.py: to be started again
resume=()
if [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ]; then
    resume=(--resume auto)                  # a requeued job
fi
again=${REQUEUE:-100}

# The processors of a node's task: the workers of the config and one more for
# each process, at most what a node of the partition has.
cpus=${CPUS_PER_TASK:-}
if [ -z "$cpus" ]; then
    . "$tools/_python.sh"
    workers=3
    if [ -f "$config" ]; then
        workers=$("$python" -c 'import sys
from mmengine.config import Config
print(int(Config.fromfile(sys.argv[1]).train_dataloader.num_workers))' "$config" 2>/dev/null) || workers=3
    fi
    cpus=$((per_node * (workers + 1)))
    if command -v sinfo >/dev/null; then
        most=$(sinfo -h -p "$partition" -o %c | tr -d + | sort -n | head -n 1)
        if [ -n "$most" ] && [ "$most" -lt $cpus ]; then
            cpus=$most
        fi
    fi
fi

train() {
    export NNODES=$((gpus / per_node)) PORT=${PORT:-$((20000 + RANDOM % 20000))}
    # shellcheck disable=SC2016,SC2086
    srun -p "$partition" --job-name="$job" --nodes=$NNODES \
        --ntasks-per-node=1 --gres=gpu:"$per_node" \
        --cpus-per-task="$cpus" \
        --signal=USR1@"${NOTICE:-120}" \
        --kill-on-bad-exit=0 ${SRUN_ARGS:-} bash -c '
            export NODE_RANK=$SLURM_NODEID
            first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
            export MASTER_ADDR=${MASTER_ADDR:-$first}
            exec "$@"' _ "$tools/dist_train.sh" "$config" "$per_node" "$@"
}

# The signals are for the processes, which srun hands them to; this script
# waits for what they say.
trap : TERM USR1
while :; do
    status=0
    train "$@" ${resume[@]+"${resume[@]}"} || status=$?
    if [ $status != $stopped ] || [ "$again" -le 0 ]; then
        exit $status
    fi
    again=$((again - 1))
    resume=(--resume auto)
    if [ -n "${SLURM_JOB_ID:-}" ]; then
        scontrol requeue "$SLURM_JOB_ID"
        exit $stopped
    fi
    echo "$job was stopped; it is queued again" >&2
done
