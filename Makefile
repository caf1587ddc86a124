# One command per need: `make` lists them.  Python 3.12 or newer is all that must be there before.

STUDY := synthetic_fnd_mouse
RUN   := runs/$(STUDY)
BIN   := .venv/bin
UV    ?= uv

# Chains run side by side: a BLAS that starts its own threads makes them fight for cores.
export OMP_NUM_THREADS      := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS      := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

PYTHON := $(shell for python in python3.12 python3; do \
  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then echo $$python; break; fi; done)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help run test proof docs lock clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' Makefile

run: .venv/.stamp  ## the example study from raw light to report, in runs/
	@force=; if [ -e $(RUN) ]; then force=--force; fi; \
	set -x; $(BIN)/pbpk run data/$(STUDY) --out $(RUN) $$force

# $(call step,NAME,COMMAND): run it, say how long it took, stop at the first that fails.
define step
@printf '\n%s\n' '$(1)'; start=$$(date +%s); $(2); code=$$?; \
if [ $$code -eq 0 ]; then said=passed; else said=FAILED; fi; \
printf '%s: %s in %s s\n' '$(1)' $$said $$(($$(date +%s) - start)); exit $$code
endef

test: .venv/.stamp  ## style, import direction, types and tests; stops at the first that fails
	$(call step,ruff check,$(BIN)/ruff check .)
	$(call step,ruff format,$(BIN)/ruff format --check .)
	$(call step,lint-imports,$(BIN)/lint-imports --no-cache)
	$(call step,mypy,$(BIN)/mypy pbpk)
	$(call step,pytest,$(BIN)/pytest -n 2 --dist loadfile)  # two workers; a file's fits are shared by its tests

proof: .venv/.stamp  ## longer proofs, minutes to an hour each; their last figures stand in tests/proof/README.md
	$(call step,pytest -m proof,$(BIN)/pytest -n 2 --dist loadfile -m proof)
	$(call step,demodulation coverage,$(BIN)/python tests/proof/demodulation_coverage.py)
	$(call step,raw light to the truth,$(BIN)/python tests/proof/raw_light_recovery.py --seeds 100)
	$(call step,calibration of the inference,$(BIN)/python tests/proof/calibration.py --fits 100)

docs: .venv/.stamp  ## the documentation, in build/docs, without a network; a warning or a broken link within it fails
	$(call step,sphinx,$(BIN)/python -m sphinx -b html -W --keep-going -q notebooks build/docs)

lock:  ## resolve requirements.lock anew from pyproject.toml (needs uv)
	@command -v $(UV) >/dev/null || { echo 'Install uv, which resolves the lock, or name it: make lock UV=path'; exit 1; }
	$(UV) pip compile pyproject.toml --group dev --upgrade --quiet \
	  --universal --python-version 3.12 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' \
	  --output-file requirements.lock

clean:  ## remove the environment, caches and built packages; runs/ stays
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find pbpk tests -type d -name __pycache__ -prune -exec rm -rf {} +

# Two stamps, each touched last, so an interrupted build starts over: the locked packages take minutes, pbpk itself seconds.
.venv/.locked: requirements.lock
	@if [ -z '$(PYTHON)' ]; then echo 'pbpk needs Python 3.12 or newer: install it so that `python3.12` or `python3` starts it.'; exit 1; fi
	rm -f .venv/.locked .venv/.stamp
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	touch $@

.venv/.stamp: .venv/.locked pyproject.toml
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@
