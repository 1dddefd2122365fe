#!/usr/bin/env bash
# Trains in several processes: tools/dist_train.sh CONFIG GPUS [options of train.py]
# On several nodes, run it on each with NNODES, NODE_RANK, MASTER_ADDR and PORT.
exec "$(dirname "$0")/_torchrun.sh" train "$@"
