#!/usr/bin/env bash
# Trains under Slurm: [GPUS=8 GPUS_PER_NODE=8 CPUS_PER_TASK=..] [SRUN_ARGS=..] \
#     tools/slurm_train.sh PARTITION JOB_NAME CONFIG [options of train.py]
# One torchrun per node, one process per GPU.
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
tools=$(cd "$(dirname "$0")" && pwd)
export NNODES=$((gpus / per_node)) PORT=${PORT:-$((20000 + RANDOM % 20000))}
# shellcheck disable=SC2016,SC2086
exec srun -p "$partition" --job-name="$job" --nodes=$NNODES \
    --ntasks-per-node=1 --gres=gpu:"$per_node" \
    --cpus-per-task="${CPUS_PER_TASK:-$((per_node * 4))}" \
    --kill-on-bad-exit=1 ${SRUN_ARGS:-} bash -c '
        export NODE_RANK=$SLURM_NODEID
        MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
        export MASTER_ADDR
        exec "$@"' _ "$tools/dist_train.sh" "$config" "$per_node" "$@"
