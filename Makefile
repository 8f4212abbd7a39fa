# Bytewing. The two commands a newcomer needs: `make demo` and `make test`.

VENV    := .venv
BIN     := $(VENV)/bin
STAMP   := $(VENV)/.installed
PYTHON  ?= $(shell command -v python3.11 || command -v python3)
JOBS    ?= $(shell nproc 2>/dev/null || echo 2)

.PHONY: help venv install demo test lint format bench clean

help:  ## show what there is to make
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Bytewing needs Python 3.11 or newer; make PYTHON=/path/to/python3.11"; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info >= (3, 12))' || { \
	  echo "NOTE: $$($(PYTHON) --version): PyBullet has wheels up to Python 3.11 only and will now be"; \
	  echo "      built from source. That needs a C++ compiler and this Python's headers (on Debian:"; \
	  echo "      apt-get install g++ python3-dev) and about ten minutes. With a python3.11 on the"; \
	  echo "      PATH none of this is needed."; }
	$(PYTHON) -m venv $(VENV)

venv: $(BIN)/python  ## make the empty virtual environment

# A PyTorch that is already in the environment and satisfies the pin (its CPU build, say) is kept.
$(STAMP): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[train,cluster,dev]'
	@touch $@

install: $(STAMP)  ## install Bytewing with everything it needs into .venv

demo: $(STAMP)  ## fly, learn, shrink, export, verify: at most ten minutes
	$(BIN)/bytewing demo --out out/demo

test: $(STAMP)  ## run every test
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup

lint: $(STAMP)  ## style, types, floors and the format of the C
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/clang-format --dry-run --Werror $$(git ls-files '*.c' '*.h')

format: $(STAMP)  ## rewrite Python and C in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $$(git ls-files '*.c' '*.h')

bench: $(STAMP)  ## speed of flights, camera and firmware
	$(BIN)/bytewing bench

clean:  ## remove what make made
	rm -rf $(VENV) out build
