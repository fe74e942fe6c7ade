# Every figure from one command. `make` alone prints the commands.
PROFILE ?= shapes
CLASS ?=
DATA ?=
JOBS ?= 2
MAKEFLAGS += -j$(JOBS)  # notebooks run side by side

export UNITNB_ROOT := $(CURDIR)
export UV_PYTHON_DOWNLOADS := never
export JUPYTER_PREFER_ENV_PATH := 1
ifneq ($(DATA),)
export UNITNB_DATA := $(DATA)
endif

# With PYTHON=... that interpreter's environment is used; otherwise .venv is made from requirements.lock.
ifdef PYTHON
PY := $(PYTHON)
ENVIRONMENT :=
else
PY := .venv/bin/python
ENVIRONMENT := .venv/.complete
endif

# The class of the run: CLASS, or the profile's own (the one place where it stands is the profile).
TARGET := $(or $(CLASS),$(shell sed -n 's/^target_class: *//p' notebooks/profiles/$(PROFILE).yaml 2>/dev/null))
RUNS := build/runs/$(PROFILE)/$(TARGET)
FIGURES := figures/$(PROFILE)/$(TARGET)
ifneq ($(words $(PROFILE)) $(words $(TARGET)) $(findstring ..,$(TARGET)$(PROFILE)) $(findstring /,$(TARGET)$(PROFILE)),1 1  )
ifneq ($(filter figures class,$(MAKECMDGOALS)),)
$(error PROFILE='$(PROFILE)' CLASS='$(CLASS)': no such profile or class; the profiles are: $(basename $(notdir $(wildcard notebooks/profiles/*.yaml))))
endif
endif

.PHONY: help figures class train lab test check nbval refresh bench clean
.DELETE_ON_ERROR:

help: ## print this help
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F '\t' '{printf "  make %-9s %s\n", $$1, $$2}'
	@echo "Variables: PROFILE=shapes|cifar10  CLASS=<class>  DATA=<folder of images>  EXTRA=1 (more models)  JOBS=2 (notebooks at a time)  PYTHON=<your own environment's python>"

# What each notebook depends on and writes is read from the notebooks themselves.
-include build/rules.mk
build/rules.mk: unitnb/__init__.py unitnb/notebooks.py $(wildcard unitnb/*.py notebooks/*.py)
	@mkdir -p build && $(or $(PYTHON),python3) -m unitnb.notebooks > $@.new && mv $@.new $@

figures: $(NOTEBOOKS:%=$(RUNS)/%.ipynb) $(FIGURES)/CLAIMS.md ## regenerate every figure, table and verdict: figures/<profile>/<class>/

# The verdicts are made from the notebooks' records alone; a record that is missing is made by running the notebooks again.
$(FIGURES)/CLAIMS.md: $(NOTEBOOKS:%=$(RUNS)/%.ipynb) $(wildcard $(FIGURES)/claims.json) unitnb/claims.py unitnb/verdicts.py \
		unitnb/claim_documents.py unitnb/claims_figure.py | $(ENVIRONMENT)
	@$(PY) -m unitnb.cli claims --profile $(PROFILE) $(if $(CLASS),--class '$(CLASS)') > /dev/null && sed -n 3p $@

define NOTEBOOK_RULE
$(RUNS)/$(1).ipynb: notebooks/$(1).py $(wildcard notebooks/$(1).ipynb) notebooks/profiles/$(PROFILE).yaml $(DEPENDS_$(1)) \
		$(wildcard unitnb/weights/$(PROFILE)/* build/weights/$(PROFILE)/*) unitnb/unitnb.mplstyle \
		$(if $(filter-out $(wildcard $(WRITES_$(1):%=$(FIGURES)/%) $(FIGURES)/claims.json),$(WRITES_$(1):%=$(FIGURES)/%) $(FIGURES)/claims.json),missing) \
		| $(ENVIRONMENT)
	@$(PY) -m unitnb.cli run notebooks/$(1).py $$@ --profile $(PROFILE) $(if $(CLASS),--class '$(CLASS)')
endef
$(foreach notebook,$(NOTEBOOKS),$(eval $(call NOTEBOOK_RULE,$(notebook))))
.PHONY: missing
missing: ;

class: $(if $(CLASS),figures) ## the same for one class: make class CLASS=crescent
	@$(if $(CLASS),,echo "make class needs CLASS=<class>, for instance: make class CLASS=crescent"; exit 2)

train: $(ENVIRONMENT) ## train a profile's networks; an interrupted run goes on where it stopped
	@$(PY) -m unitnb.cli train --profile $(PROFILE) $(if $(CLASS),--class '$(CLASS)') $(if $(EXTRA),--extra)

lab: $(ENVIRONMENT) ## read and edit the notebooks in JupyterLab
	$(PY) -m jupyterlab --notebook-dir=. notebooks

test: check nbval ## all checks: ruff, pairs, pytest, nbval, a papermill run with another class
	$(PY) -m pytest -q
	$(PY) -m papermill --no-progress-bar notebooks/03_ablation.ipynb build/another-class.ipynb -p target_class crescent

check: $(ENVIRONMENT) ## lint, and check that the notebook pairs agree
	$(PY) -m ruff check .
	$(PY) -m unitnb.cli check

nbval: $(ENVIRONMENT) ## run the notebooks and compare every output with what is committed
	$(PY) -m pytest -q --nbval notebooks

refresh: ## run the notebooks with their defaults and commit-ready outputs
	$(MAKE) figures PROFILE=shapes CLASS=
	$(PY) -m unitnb.cli refresh build/runs/shapes/$(shell sed -n 's/^target_class: *//p' notebooks/profiles/shapes.yaml)
	@touch -c build/runs/shapes/*/*.ipynb

bench: $(ENVIRONMENT) ## measure the engines side by side in one run: tests/benchmarks/RESULTS.md (about seven minutes; leave the machine alone)
	@mkdir -p build && echo '# `make bench`' > build/bench.md
	@for part in topology ablation stability scale; do \
		echo "bench_$$part ..." && echo >> build/bench.md && $(PY) tests/benchmarks/bench_$$part.py >> build/bench.md || exit 1; done
	@mv build/bench.md tests/benchmarks/RESULTS.md && cat tests/benchmarks/RESULTS.md

clean: ## remove build/ (runs, caches, trained networks); the environment stays
	rm -rf build

.venv/.complete: requirements.lock pyproject.toml
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11) and "python3 is " + sys.version.split()[0] + "; 3.11 or newer is needed")'
	python3 -m venv .venv
	.venv/bin/python -m pip install --quiet $$(grep '^uv==' requirements.lock)
	.venv/bin/uv pip install --quiet --python .venv -r requirements.lock
	.venv/bin/uv pip install --quiet --python .venv --no-deps --editable .
	@touch $@
