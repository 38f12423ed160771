#!/bin/sh
# venv.sh LOCK STAMP: makes .venv where it is missing or broken, installs exactly what LOCK names and the
# project itself, and touches STAMP. Prints one clear line when the machine lacks something.
set -eu
cd "$(dirname "$0")/.."
lock=$1 stamp=$2

stop() {
    echo "candor: $1" >&2
    exit 1
}

fits() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

if ! { [ -x .venv/bin/pip ] && fits .venv/bin/python; }; then
    python=
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
        if fits "$candidate"; then python=$candidate && break; fi
    done
    [ -n "$python" ] || stop "Python 3.11 or newer is needed (on Debian or Ubuntu: apt install python3 python3-venv)."
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        stop "Python's venv module is needed (on Debian or Ubuntu: apt install python3-venv)."
    rm -rf .venv
    "$python" -m venv .venv || stop "making .venv failed; the lines above say why."
fi

echo "Installing from $lock (only after it changed) ..."
log=.venv/install.log
if ! .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock" >"$log" 2>&1 ||
    ! .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . >>"$log" 2>&1; then
    grep -v '^WARNING' "$log" | tail -n 5 >&2
    stop "installing from $lock failed; everything it said is in $log."
fi
touch "$stamp"
