#!/usr/bin/env bash
# Tests in several processes: tools/dist_test.sh CONFIG CHECKPOINT GPUS [options of test.py]
# On several nodes, run it on each with NNODES, NODE_RANK, MASTER_ADDR and PORT.
exec "$(dirname "$0")/_torchrun.sh" test "$@"
