#!/usr/bin/env bash
# torchrun around tools/train.py and tools/test.py; see dist_train.sh, dist_test.sh.
set -eu
tools=$(cd "$(dirname "$0")" && pwd)
task=$1
shift

files=1                                     # CONFIG
usage="usage: tools/dist_$task.sh CONFIG GPUS [options]"
if [ "$task" = test ]; then
    files=2                                 # CONFIG CHECKPOINT
    usage="usage: tools/dist_$task.sh CONFIG CHECKPOINT GPUS [options]"
fi
if [ $# -le $files ]; then
    echo "$usage" >&2
    exit 2
fi
inputs=("${@:1:$files}")
shift $files
gpus=$1
shift
if ! [[ $gpus =~ ^[1-9][0-9]*$ ]]; then
    echo "error: GPUS=$gpus: wanted a number of processes; $usage" >&2
    exit 2
fi

. "$tools/_python.sh"

nodes=${NNODES:-1}
if [ "$nodes" = 1 ]; then                   # any free port, unless one is given
    where=(--rdzv-backend=c10d --rdzv-endpoint="localhost:${PORT:-0}")
else
    where=(--node-rank="${NODE_RANK:?NODE_RANK is not set}"
        --master-addr="${MASTER_ADDR:?MASTER_ADDR is not set}"
        --master-port="${PORT:-29500}")
fi
# As torchrun would, but without its warning.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
exec "$python" "$tools/_torchrun.py" --nnodes="$nodes" \
    --nproc-per-node="$gpus" "${where[@]}" \
    "$tools/$task.py" "${inputs[@]}" --launcher pytorch "$@"
