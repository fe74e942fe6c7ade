# Every figure from one command. `make` alone prints the commands.
PROFILE ?=
CLASS ?=
CLASSES ?=
DATA ?=
WEIGHTS ?=
MODEL ?=
LAYER ?=
SCALING ?=
CLASS_NAMES ?=
SET ?=
JOBS ?= 2
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(JOBS)  # notebooks, and the checks of make test, run side by side
endif

# Names go into commands of the shell, in quotes, and into rules. They are looked at before make expands them.
quoted = '$(subst ','\'',$(value $(1)))'
HASH := \#
in = $(strip $(foreach sign,$(1),$(foreach name,$(2),$(findstring $(sign),$(value $(name))))))
ifneq ($(call in,$$ ' " ` ; | & < > \ ( ) $(HASH),PROFILE CLASS CLASSES MODEL LAYER SCALING CLASS_NAMES SET)$(call in,: = % * ?,PROFILE CLASS CLASSES MODEL CLASS_NAMES),)
$(error PROFILE='$(value PROFILE)' CLASS='$(value CLASS)' CLASSES='$(value CLASSES)' MODEL='$(value MODEL)' LAYER='$(value LAYER)' CLASS_NAMES='$(value CLASS_NAMES)' SET='$(value SET)': no quote, bracket or other sign of the shell or of make may be in a name; ImageNet's classes have wnids, too)
endif
ifneq ($(word 2,$(MODEL))$(word 2,$(CLASS_NAMES)),)
$(error MODEL='$(MODEL)' CLASS_NAMES='$(CLASS_NAMES)': no space may be in the path of a file that make watches)
endif
ifeq ($(PROFILE),)
override PROFILE := $(if $(MODEL),own,shapes)
endif
ifneq ($(PYTHON),)
ifeq ($(shell command -v '$(value PYTHON)'),)
$(error PYTHON='$(value PYTHON)' is no program; leave it out, and make installs an environment of its own)
endif
endif

export UNITNB_ROOT := $(CURDIR)
export UV_PYTHON_DOWNLOADS := never
export JUPYTER_PREFER_ENV_PATH := 1
# Without compiled modules in a cache, each process that imports Keras compiles TensorFlow anew: 20 s in place of 6.
unexport PYTHONDONTWRITEBYTECODE
ifneq ($(value DATA),)
export UNITNB_DATA := $(value DATA)
endif
ifneq ($(value WEIGHTS),)
export UNITNB_WEIGHTS := $(value WEIGHTS)
endif

# With PYTHON=... that interpreter's environment is used; otherwise .venv is made from requirements.hashes, the lock with hashes.
ifdef PYTHON
PY := $(PYTHON)
ENVIRONMENT :=
else
PY := .venv/bin/python
ENVIRONMENT := .venv/.complete
endif

# The files of the profile: its own and, where it stands on another, that one's.
BASE := $(shell sed -n 's/^base: *//p' 'notebooks/profiles/$(PROFILE).yaml' 2>/dev/null)
PROFILE_FILES := notebooks/profiles/$(PROFILE).yaml $(BASE:%=notebooks/profiles/%.yaml)
# A model of one's own, MODEL, gives its name to the folder of its figures; its settings go to every command.
NAME := $(if $(MODEL),$(basename $(notdir $(MODEL))),$(PROFILE))
SETTINGS := $(strip $(if $(MODEL),--set 'network=$(MODEL)') $(if $(LAYER),--set 'layer=$(LAYER)') \
	$(if $(SCALING),--set 'scaling=$(SCALING)') $(if $(CLASS_NAMES),--set 'class_names=$(CLASS_NAMES)') $(SET:%=--set '%'))
ifneq ($(and $(MODEL),$(filter figures,$(MAKECMDGOALS)),$(if $(CLASS),,none)),)
$(error MODEL='$(MODEL)' needs CLASS=<the class to study>, one of the folders in DATA/train)
endif
# The folder of the class: CLASS, or the profile's own. What a run is made from besides files that make watches, such
# as images and weights and their state, is kept in a stamp: when it changes, every notebook is made anew.
ifneq ($(if $(COUNTING),,$(filter-out help check lab nbval test pool clean train classes class@% html open,$(or $(MAKECMDGOALS),help))),)
TARGET := $(shell $(or $(PYTHON),python3) -m unitnb.notebooks.inputs '$(PROFILE)' '$(CLASS)' '$(NAME)' '$(subst ',,$(SETTINGS))' $(call quoted,DATA) $(call quoted,WEIGHTS))
endif
RUNS := build/runs/$(NAME)/$(TARGET)
FIGURES := figures/$(NAME)/$(TARGET)
ifneq ($(words $(PROFILE)) $(words $(TARGET)) $(findstring ..,$(TARGET)$(PROFILE)) $(findstring /,$(TARGET)$(PROFILE)),1 1  )
ifneq ($(filter figures class,$(MAKECMDGOALS)),)
$(error PROFILE='$(PROFILE)' CLASS='$(CLASS)': no such profile or class; the profiles are: $(basename $(notdir $(wildcard notebooks/profiles/*.yaml))))
endif
endif

ifneq ($(findstring /,$(CLASSES)),)
$(error CLASSES='$(CLASSES)': the name of a class has no slash)
endif

.PHONY: help figures verify class classes train html open lab refresh test check nbval another-class test-long test-browser test-faults mutants bench clean
.DELETE_ON_ERROR:

help: ## print this help
	@awk -F ':.*## ' '/^##@/ {printf "%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "Variables"
	@echo "PROFILE=<profile>, one of: $(sort $(basename $(notdir $(wildcard notebooks/profiles/*.yaml))))" | fold -s -w 96 | sed 's/^/  /'
	@echo "  CLASS=<class>  DATA=<folder of images>  WEIGHTS=<file of VGG16>  EXTRA=1 (more models)"
	@echo "  MODEL=<your .keras or .h5 file>  LAYER=<layer>  SCALING=none|unit|tf|torch|caffe"
	@echo "  CLASS_NAMES=<file, a class a line>  SET='n_rank=60 points=33' (settings of the profile)"
	@echo "  JOBS=2 (notebooks and tests at a time)  PYTHON=<your own environment's python>"

##@ Figures
# What each notebook depends on and writes is read from the notebooks themselves.
include build/rules.mk
build/rules.mk: unitnb/__init__.py $(wildcard unitnb/*.py unitnb/*/*.py notebooks/*.py)
	@mkdir -p build && $(or $(PYTHON),python3) -m unitnb.notebooks.rules > $@.$$$$ && mv $@.$$$$ $@
	@touch -r "$$(ls -t $@ $^ | head -1)" $@  # a file from the future would have make start over for ever

figures: $(NOTEBOOKS:%=$(RUNS)/%.ipynb) $(FIGURES)/CLAIMS.md ## every figure, table and verdict, in figures/<profile>/<class>/
	@cat $(RUNS)/summary 2> /dev/null || sed -n 3p $(FIGURES)/CLAIMS.md

# The verdicts are made from the notebooks' records alone; a record that is missing is made by running the notebooks again.
$(FIGURES)/CLAIMS.md: $(NOTEBOOKS:%=$(RUNS)/%.ipynb) $(wildcard $(FIGURES)/claims.json) $(wildcard unitnb/claims/*.py) | $(ENVIRONMENT)
	@$(PY) -m unitnb.cli claims --brief $(RUN_OPTIONS) > $(RUNS)/summary

$(RUNS)/inputs: ;
# What is missing is found once, in a second, before the first notebook starts.
$(RUNS)/checked: $(RUNS)/inputs $(PROFILE_FILES) $(MODEL) $(CLASS_NAMES) \
		$(sort $(foreach notebook,$(NOTEBOOKS),$(DEPENDS_$(notebook)))) | $(ENVIRONMENT)
	@$(PY) -m unitnb.notebooks.preflight $(RUN_OPTIONS) && mkdir -p $(@D) && touch $@
RUN_OPTIONS = --profile $(PROFILE) $(if $(SETTINGS),$(SETTINGS) )$(if $(CLASS),--class '$(CLASS)')

# How many notebooks follow, and how long they take. A make of its own counts them, without running any.
.PHONY: opening
opening: $(RUNS)/checked
ifndef COUNTING
	@$(if $(findstring n,$(firstword -$(MAKEFLAGS))),:,number=$$($(MAKE) -n figures COUNTING=1 'TARGET=$(TARGET)' | grep -c 'unitnb.cli run'); \
		[ $$number = 0 ] || $(PY) -m unitnb.notebooks.opening $$number $(JOBS) $(PROFILE) $(RUNS)/count)
endif

# What a run leaves in FIGURES; a notebook that says what it needs first (networks trained here) leaves nothing.
expected = $(if $(wildcard $(RUNS)/$(1).needs),,$(WRITES_$(1):%=$(FIGURES)/%))
define NOTEBOOK_RULE
$(RUNS)/$(1).ipynb: notebooks/$(1).py $(wildcard notebooks/$(1).ipynb) $(PROFILE_FILES) $(MODEL) $(CLASS_NAMES) $(DEPENDS_$(1)) $(RUNS)/inputs requirements.hashes \
		$(wildcard unitnb/weights/$(PROFILE)/* build/weights/$(PROFILE)/*) unitnb/figures/unitnb.mplstyle \
		$(if $(filter-out $(wildcard $(WRITES_$(1):%=$(FIGURES)/%) $(FIGURES)/claims.json),$(call expected,$(1)) $(FIGURES)/claims.json),missing) \
		| $(RUNS)/checked $(ENVIRONMENT) opening
	@UNITNB_COUNT=$(RUNS)/count $(PY) -m unitnb.cli run notebooks/$(1).py $$@ $(RUN_OPTIONS)
endef
$(foreach notebook,$(NOTEBOOKS),$(eval $(call NOTEBOOK_RULE,$(notebook))))
.PHONY: missing
missing: ;

verify: ## run the default profile anew and compare every number and verdict with figures/
	@rm -rf build/verify
	@UNITNB_FIGURES=build/verify/figures $(MAKE) --no-print-directory figures PROFILE=shapes CLASS= DATA= WEIGHTS= SET= MODEL= \
		LAYER= SCALING= CLASS_NAMES= RUNS=build/verify/runs FIGURES='build/verify/figures/shapes/$$(TARGET)' > /dev/null
	@$(PY) -m unitnb.notebooks.verify build/verify/figures

class: $(if $(CLASS),figures) ## the same for one class: make class CLASS=crescent
	@$(if $(CLASS),,echo "make class needs CLASS=<class>, for instance: make class CLASS=crescent"; exit 2)

# Each class in a make of its own, so that one that fails does not stop the others; the index names it and ends with an error.
# NOTEBOOKS="03_ablation" limits them to a notebook.
classes: $(addprefix class@,$(CLASSES)) ## the same for several, and a page over all: make classes CLASSES="ring cross"
	@$(if $(CLASSES),$(PY) -m unitnb.cli index --profile $(PROFILE) $(CLASSES),echo 'make classes needs CLASSES="<class> <class> ..."'; exit 2)

class@%: $(ENVIRONMENT)
	@mkdir -p build/log && rm -f 'build/log/$(PROFILE)-$*.failed' && echo "$*: log in build/log/$(PROFILE)-$*.log"
	@$(MAKE) --no-print-directory figures CLASS='$*' > 'build/log/$(PROFILE)-$*.log' 2>&1 || touch 'build/log/$(PROFILE)-$*.failed'

train: $(ENVIRONMENT) ## train a profile's networks; an interrupted run goes on where it stopped
	@$(PY) -m unitnb.cli train --profile $(PROFILE) $(if $(CLASS),--class '$(CLASS)') $(if $(EXTRA),--extra)

html: $(ENVIRONMENT) ## the notebooks as a static site, read without a network: build/site/index.html
	@$(PY) -m unitnb.cli html --profile $(PROFILE) $(if $(SETTINGS),$(SETTINGS) )$(if $(CLASS),--class '$(CLASS)')

open: html ## the same, opened in a browser
	@$(PY) -m webbrowser -t 'file://$(CURDIR)/build/site/index.html' > /dev/null

# With the arithmetic of `make figures`, so that cells run by hand give the committed outputs.
lab: $(ENVIRONMENT) ## read and edit the notebooks in JupyterLab
	@mkdir -p build/jupyter/labconfig && echo '$(NO_NEWS)' > build/jupyter/labconfig/page_config.json
	@$(if $(filter shapes,$(PROFILE)),env $$($(PY) -m unitnb.files.processor)) JUPYTER_CONFIG_PATH=build/jupyter \
		$(PY) -m jupyterlab --notebook-dir=. $(if $(filter 0,$(shell id -u)),--allow-root) notebooks/01_method.ipynb $(LAB)
NO_NEWS := {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}

refresh: ## run the notebooks with their defaults and commit-ready outputs
	$(MAKE) figures PROFILE=shapes CLASS=
	$(PY) -m unitnb.cli run notebooks/explore.py build/runs/shapes/$(shell sed -n 's/^target_class: *//p' notebooks/profiles/shapes.yaml)/explore.ipynb
	$(PY) -m unitnb.cli refresh build/runs/shapes/$(shell sed -n 's/^target_class: *//p' notebooks/profiles/shapes.yaml)
	@touch -c build/runs/shapes/*/*.ipynb

##@ Checks
# One pool of workers takes notebooks, tests and doctests, the longest files first. A file stays on one worker,
# and a worker computes on one thread.
PYTEST = OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(PY) -m pytest -q -n $(JOBS) --dist loadfile --no-loadscope-reorder --durations=25

test: check another-class pool ## make check, tests, doctests, notebooks, another class

.PHONY: pool
pool: $(ENVIRONMENT)
	$(PYTEST) --nbval --doctest-modules notebooks tests unitnb

test-long: $(ENVIRONMENT) ## the tests that take long: training, clusters, all families of networks
	$(PYTEST) -m long tests

check: $(ENVIRONMENT) ## check style, types, the layers of imports, and that the notebook pairs agree
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()' --cache-dir build/importlinter
	$(PY) -m unitnb.cli check

nbval: $(ENVIRONMENT) ## run the notebooks and compare every output with what is committed
	$(PYTEST) --nbval notebooks

# Papermill itself runs a notebook with a class that is not the default.
another-class: $(ENVIRONMENT)
	@mkdir -p build
	$(PY) -m papermill --no-progress-bar notebooks/03_ablation.ipynb build/another-class.ipynb -p target_class crescent

test-browser: $(ENVIRONMENT) ## JupyterLab and the site in a headless Chromium (skipped where there is none)
	$(PY) -m pytest -q -rs -m browser tests/test_browser.py

test-faults: $(ENVIRONMENT) ## sweeps with killed workers, interrupts and full disks (about ten minutes)
	UNITNB_FULL=1 $(PY) -m pytest -q tests/test_sweep.py

mutants: $(ENVIRONMENT) ## make known mistakes in the code, one at a time: do the tests notice?
	$(PY) tests/mutants.py

bench: $(ENVIRONMENT) ## measure the engines: tests/benchmarks/RESULTS.md (11 minutes, idle machine)
	@mkdir -p build && echo '# `make bench`' > build/bench.md
	@for part in topology ablation device stability scale sweep; do \
		echo "bench_$$part ..." && echo >> build/bench.md && \
		env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $(PY) tests/benchmarks/bench_$$part.py >> build/bench.md || exit 1; done
	@mv build/bench.md tests/benchmarks/RESULTS.md && cat tests/benchmarks/RESULTS.md

clean: ## remove build/ (runs, caches, trained networks); the environment stays
	rm -rf build

.venv/.complete: requirements.hashes pyproject.toml
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11) and "python3 is " + sys.version.split()[0] + "; 3.11 or newer is needed")'
	python3 -m venv .venv
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.hashes > .venv/uv.txt
	.venv/bin/python -m pip install --quiet --require-hashes -r .venv/uv.txt
	.venv/bin/uv pip install --quiet --python .venv --require-hashes -r requirements.hashes
	.venv/bin/uv pip install --quiet --python .venv --no-deps --editable .
	@touch $@
