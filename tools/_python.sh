# For other scripts to read: sets `python`, the one that they are to start.
# $tools is the folder of the script. An active environment wins over the
# project's own.
python=${PYTHON:-python3}
if [ -z "${PYTHON:-}${VIRTUAL_ENV:-}${CONDA_PREFIX:-}" ] &&
    [ -x "$tools/../.venv/bin/python" ]; then
    python=$tools/../.venv/bin/python
fi
if ! [ -f "$(command -v "$python")" ]; then
    echo "error: PYTHON=$python: no such program; wanted the Python of your OpenMMLab environment, or \`make setup\`" >&2
    exit 2
fi
