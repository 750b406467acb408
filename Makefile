# Every check and command is defined here once; CI and the README call these targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
PACKAGES := $(sort $(wildcard libs/* services/*))
PURE := libs/core/src/*,libs/feed/src/*,libs/exchanges/src/*,libs/indicators/src/*
# two workers on two cores, each with a broker of its own; a file's tests stay together
PYTEST := $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile
PROJECTS := $(addsuffix /pyproject.toml,$(PACKAGES))
export PYTHONUNBUFFERED := 1
# what an outer environment may carry in must not steer ours
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

.venv/.base:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11"; exit 2; }
	@echo "==> creating .venv"
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/.run: requirements/run.txt $(PROJECTS) | .venv/.base
	@echo "==> installing what the product needs (about a minute the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
	  $(foreach p,$(PACKAGES),-e ./$(p))
	@touch $@

.venv/.dev: requirements/dev.txt .venv/.run
	@echo "==> installing what the tests need"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	@touch $@

.PHONY: install
install: .venv/.dev ## set up .venv with everything that running, testing and linting need

.PHONY: run
run: .venv/.run ## start broker, simulator, ingestors and indicators (LIVE=1, RUN_SECONDS=N)
	@$(BIN)/collector run $(if $(filter 1 true yes,$(LIVE)),--live) $(if $(RUN_SECONDS),--seconds $(RUN_SECONDS))

.PHONY: test
ifdef COVERAGE
test: .venv/.dev
	@rm -f .coverage .coverage.*
	@$(subst -m pytest,-m coverage run -m pytest,$(PYTEST)) $(TESTS) $(ARGS)
	@$(BIN)/python -m coverage combine --quiet
	@echo "==> coverage of the whole: at least 85 % of branches"
	@$(BIN)/python -m coverage report --fail-under=85
	@echo "==> coverage of the pure libraries: at least 95 % of branches"
	@$(BIN)/python -m coverage report --fail-under=95 --include='$(PURE)'
else
test: .venv/.dev ## run all tests (TESTS=path, ARGS=pytest options, COVERAGE=1 with its floors)
	@$(PYTEST) $(TESTS) $(ARGS)
endif

.PHONY: lint
lint: .venv/.dev ## ruff, mypy --strict, import contracts, schemas as committed
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy $(addsuffix /src,$(PACKAGES)) tests bench
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python schemas/generate.py --check

.PHONY: format
format: .venv/.dev ## let ruff rewrite what it can
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

.PHONY: schemas
schemas: .venv/.dev ## write schemas/ anew from the event types
	@$(BIN)/python schemas/generate.py

.PHONY: lock
lock: .venv/.dev ## resolve requirements/*.in to hashed requirements/*.txt
	@for f in run dev; do (cd requirements && ../$(BIN)/uv pip compile --quiet --upgrade --generate-hashes \
	  --no-emit-index-url --no-header --universal --python-version 3.11 $$f.in -o $$f.txt); done

.PHONY: bench
bench: .venv/.run ## measure against peers in the same run (about half an hour)
	@$(BIN)/python bench/run.py

.PHONY: bench-quick
bench-quick: .venv/.run ## the same, smaller and once (some minutes), without peers' installation
	@$(BIN)/python bench/run.py --quick

.PHONY: chaos
chaos: .venv/.dev ## play 10,000 seeded schedules of faults (RUNS=N), then make kills, or one schedule again (EXCHANGE=E SEED=N)
	@$(BIN)/python -m tests.chaos $(if $(RUNS),--runs $(RUNS)) $(if $(EXCHANGE),--exchange $(EXCHANGE)) $(if $(SEED),--seed $(SEED))
ifeq ($(EXCHANGE)$(SEED),)
	@$(MAKE) --no-print-directory kills
endif

.PHONY: kills
kills: .venv/.dev ## kill the indicator service 200 times at every step of its work (KILLS=N SEED=N)
	@KILLS=$(or $(KILLS),200) SEED=$(or $(SEED),$(shell echo $$RANDOM)) \
	  $(BIN)/python -m pytest --capture=no tests/e2e/indicator/test_kills.py

.PHONY: soak
soak: .venv/.run ## ingestors under a steady load, watched (SOAK_MINUTES=60, SOAK="E:N:LAYOUT:RATE …")
	@$(BIN)/python bench/soak.py --minutes $(or $(SOAK_MINUTES),60) $(foreach load,$(SOAK),--load $(load))

.PHONY: up
up: ## start Apache Kafka in Docker on localhost:9092
	@docker compose up --detach --wait

.PHONY: down
down: ## stop what `make up` started
	@docker compose down

.PHONY: ci
ci: ## what CI runs
	@bash .ci/run

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22
