# Every command of the project. `make` alone runs the site.
SHELL := /bin/sh
PYTEST := .venv/bin/python -m pytest
QUICK := not browser and not postgres and not data and not slow and not long and not drill

.PHONY: run test test-long test-quick check format drills looks bench bench-quick audit migration messages lock clean

run: .venv/.run ## the site with the demo community, on http://localhost:8000 (HOST, PORT)
	@exec .venv/bin/portal run

test: .venv/.dev ## the suite, without what takes longest
	@scripts/chromium.sh
	$(PYTEST) -n 2 --dist loadfile --no-loadscope-reorder -m "not long and not drill and not sweep"

test-long: .venv/.dev ## what takes longest: real processes, whole crawls, real data, journeys by keyboard and phone
	@scripts/chromium.sh
	$(PYTEST) -n 2 --dist load --maxschedchunk 1 -m long

test-quick: .venv/.dev ## what needs no browser and no server, in half the time
	$(PYTEST) -n 2 --dist loadfile --no-loadscope-reorder -q -m "$(QUICK)"

check: .venv/.dev ## format, lint, types, import contracts, templates
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/djlint portal/templates --lint --quiet

format: .venv/.dev ## put the code into its one format
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

drills: .venv/.dev ## fault drills in their short form (DRILL=full for the long one)
	$(PYTEST) -m drill tests/drills

looks: .venv/.dev ## every page in a browser, in each role, scheme and size; every link of the demo
	@scripts/chromium.sh
	$(PYTEST) -n 2 --dist load --maxschedchunk 1 -m sweep tests/looks

bench: .venv/.dev ## speed and import benchmarks, figures as ratios
	.venv/bin/python -m benchmarks

bench-quick: .venv/.dev ## the same on small data, in a few minutes
	.venv/bin/python -m benchmarks --quick

audit: .venv/.dev ## known vulnerabilities, licences, bill of materials
	.venv/bin/pip-audit --requirement requirements.lock --require-hashes --disable-pip
	.venv/bin/python scripts/licences.py
	@mkdir -p build
	.venv/bin/pip-audit --requirement requirements.lock --require-hashes --disable-pip \
	  --format cyclonedx-json --output build/bill-of-materials.json

migration: .venv/.dev ## a migration from the difference between models and schema: make migration m="Add x"
	@scripts/migration.sh "$(m)"

messages: .venv/.dev ## every sentence of the product, for translators: build/messages.pot
	@mkdir -p build
	.venv/bin/pybabel -q extract -F pyproject.toml -k _l -k _n:1,2 -k Entry:1 -k Kind:2 --no-location -o build/messages.pot portal

lock: .venv/.dev ## write the lock files anew from pyproject.toml
	scripts/lock.sh

clean: ## remove the environment and build output; never the site's own data
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

.venv/.run: requirements.lock pyproject.toml scripts/venv.sh
	@scripts/venv.sh requirements.lock $@

.venv/.dev: requirements-dev.lock pyproject.toml scripts/venv.sh
	@scripts/venv.sh requirements-dev.lock $@
	@touch .venv/.run
