#!/bin/sh
# Sees to it that Chromium is there for the browser tests: installs it by apt where that needs no question.
# Where it cannot, says so and succeeds (the tests are then skipped, each with this reason), but with
# CI=true it fails.
set -eu

there() {
    for name in chromium chromium-browser google-chrome; do
        if command -v "$name" >/dev/null 2>&1; then return 0; fi
    done
    return 1
}

there && exit 0

as_root=
if [ "$(id -u)" = 0 ]; then
    as_root=env
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo -n env"
fi
if [ -n "$as_root" ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Chromium for the browser tests ..."
    $as_root DEBIAN_FRONTEND=noninteractive apt-get update -qq </dev/null >/dev/null 2>&1 || true
    $as_root DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core \
        </dev/null >/dev/null 2>&1 || true
fi
there && exit 0

echo "candor: Chromium is not here and could not be installed (apt install chromium): browser tests are skipped." >&2
[ "${CI:-}" != true ]
