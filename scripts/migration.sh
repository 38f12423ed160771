#!/bin/sh
# migration.sh "What it is for": a migration from the difference between the models and the migrations so far.
# Works on a database of its own, never on the site's.
set -eu
cd "$(dirname "$0")/.."
[ -n "${1:-}" ] || {
    echo 'candor: say what it is for: make migration m="Add the colour of a tag"' >&2
    exit 1
}
bin=${BIN:-.venv/bin}
INSTANCE_PATH=$(mktemp -d)
export INSTANCE_PATH
unset DATABASE_URL
trap 'rm -rf "$INSTANCE_PATH"' EXIT
versions=portal/migrations/versions
mkdir -p "$versions"
number=$(printf '%04d' $(($(find "$versions" -name '[0-9]*.py' | wc -l) + 1)))
"$bin/python" -m flask --app wsgi db upgrade
"$bin/python" -m flask --app wsgi db migrate --rev-id "$number" --message "$1"
sed -i "/# ### .* Alembic/d" "$versions/$number"_*.py
"$bin/ruff" format --quiet "$versions"
"$bin/ruff" check --quiet --fix "$versions"
