# Every recipe works on a machine that has Python 3.10 or newer and make. All goes into .venv and build.

PYTHON ?= python3
VENV ?= .venv
# JupyterLab refuses to run as root, as in a container, unless told so.
LAB_OPTIONS ?= $(if $(filter 0,$(shell id -u)),--allow-root)
# Tests wait for kernels more than they compute: two processes finish in half the time.
PYTEST_OPTIONS ?= --numprocesses=2 --dist=loadfile
PIP = $(VENV)/bin/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the commands.
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile

.PHONY: demo
demo: $(VENV)/.demo ## Run examples/quickstart.ipynb through the deepnote-local kernel, printing as it goes.
	$(VENV)/bin/python examples/demo.py examples/quickstart.ipynb build/quickstart.ipynb

.PHONY: lab
lab: $(VENV)/.lab build/quickstart.ipynb ## Open JupyterLab on the notebook that `make demo` ran.
	$(VENV)/bin/jupyter lab $(LAB_OPTIONS) build/quickstart.ipynb

.PHONY: test
test: $(VENV)/.test $(VENV)-deepnote/.ready $(VENV)-clients/.ready $(VENV)-strata/.ready $(VENV)-strata-0.7/.ready ## Run all tests.
	FAR_SIDE_PYTHON=$(abspath $(VENV)-deepnote/bin/python) \
	  OFFICIAL_CLIENTS_PYTHON=$(abspath $(VENV)-clients/bin/python) \
	  STRATA_PYTHON=$(abspath $(VENV)-strata/bin/python) \
	  STRATA_0_7_PYTHON=$(abspath $(VENV)-strata-0.7/bin/python) \
	  $(VENV)/bin/pytest $(PYTEST_OPTIONS)

.PHONY: clean
clean: ## Remove the environment and everything built.
	rm -rf $(VENV) $(VENV)-deepnote $(VENV)-clients $(VENV)-strata $(VENV)-strata-0.7 build dist labextension/dist labextension/lib labextension/node_modules .nox .coverage .coverage.*

build/quickstart.ipynb: examples/quickstart.ipynb
	@mkdir -p build
	cp examples/quickstart.ipynb build/quickstart.ipynb

%/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "$(PYTHON) is older than Python 3.10. Name a newer one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv $* || \
	  { rm -rf $*; echo "$(PYTHON) cannot make a virtual environment. On Debian or Ubuntu: apt install python3-venv" >&2; exit 1; }

# One stamp per set of packages: a second run starts at once, a change of what is installed sets up again.
$(VENV)/.demo $(VENV)/.lab $(VENV)/.test: $(VENV)/.%: pyproject.toml $(wildcard kernelspec/*/*) | $(VENV)/bin/python
	@echo "Setting up $(VENV) for \`make $*\`; the first time takes a minute or two."
	$(PIP) install --quiet --upgrade "pip>=25.1"
	$(PIP) install --quiet --editable ".[server]" --group $*
	@touch $@

# The far side of some tests: kernels with the packages of a Deepnote machine rather than ours.
$(VENV)-deepnote/.ready: tests/deepnote-machine.txt | $(VENV)-deepnote/bin/python
	$(VENV)-deepnote/bin/python -m pip --disable-pip-version-check install --quiet --requirement $<
	@touch $@

# Deepnote's own clients, and a fuzzer: programs that nobody here wrote, run against the embedded server.
$(VENV)-clients/.ready: tests/official-clients.txt | $(VENV)-clients/bin/python
	$(VENV)-clients/bin/python -m pip --disable-pip-version-check install --quiet --no-deps --requirement $<
	@touch $@

# The real Strata servers of some tests. Where no Python is new enough for them, those tests skip.
$(VENV)-strata/.ready: tests/strata-server.txt
$(VENV)-strata-0.7/.ready: tests/strata-server-0.7.txt
$(VENV)-strata/.ready $(VENV)-strata-0.7/.ready: tests/make_strata_server.py | $(VENV)/.test
	$(VENV)/bin/python $< $(@D) $(filter %.txt,$^)
