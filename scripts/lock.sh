#!/bin/sh
# Writes both lock files anew from pyproject.toml: exact versions with hashes, and no index address.
set -eu
cd "$(dirname "$0")/.."
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
"${PYTHON:-.venv/bin/python}" -m venv "$tools" # pip-tools is needed for this alone
"$tools/bin/python" -m pip install --quiet --disable-pip-version-check pip-tools
export CUSTOM_COMPILE_COMMAND="make lock"

compile() {
    "$tools/bin/python" -m piptools compile --quiet --generate-hashes --strip-extras --allow-unsafe --newline lf \
        --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options --no-annotate \
        --build-deps-for editable "$@" pyproject.toml
}

compile --extra postgres --extra redis --output-file requirements.lock
compile --extra postgres --extra redis --extra dev --constraint requirements.lock \
    --output-file requirements-dev.lock
