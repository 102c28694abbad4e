# The two commands: `make demo` and `make test`. Python 3.11 or newer; everything goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test lint bench docs screenshot binder clean

demo: $(VENV)/lab.stamp  ## make the environment and the sample, open JupyterLab on the first example
	$(BIN)/twomass-nb sample
	$(BIN)/twomass-nb lab $(if $(LAB_ARGS),-- $(LAB_ARGS))

test: $(VENV)/test.stamp .oldest-lab  ## make the environment, run every test and every example
	$(BIN)/python -m pytest

lint: $(VENV)/test.stamp  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/test.stamp  ## measure the claims, each against its peer in the same run
	for claim in benchmarks/*.py; do $(BIN)/python $$claim || exit 1; done

docs: $(VENV)/docs.stamp  ## build the documentation into docs/_build
	$(BIN)/sphinx-build -W -q docs docs/_build

screenshot: $(VENV)/test.stamp  ## take the README's picture anew, in a real JupyterLab
	$(BIN)/python docs/screenshot.py

binder: export TWOMASS_NB_CACHE = $(CURDIR)/.binder/cache
binder:  ## what Binder builds, tried in a clean environment: installed, not editable
	rm -rf .binder
	$(PYTHON) -m venv .binder
	PATH="$(CURDIR)/.binder/bin:$$PATH" binder/postBuild
	cd .binder && bin/jupyter nbconvert --to notebook --execute --output-dir . ../examples/01*.ipynb

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/it"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# constraints.txt holds versions that were tested together; pyproject.toml what is needed at all.
$(VENV)/%.stamp: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing twomass_nb[$*] into $(VENV); the first time takes a few minutes"
	$(PIP) install --constraint constraints.txt --editable ".[$*]"
	touch $@

# The plugin must work in the oldest JupyterLab 4 too. Without what it depends on, which is in $(VENV).
.oldest-lab: | $(VENV)/test.stamp
	$(PIP) install --no-deps --target $@ jupyterlab==4.0.0

clean:
	rm -rf $(VENV) .binder .oldest-lab .screenshots docs/_build
