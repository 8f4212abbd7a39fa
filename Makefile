# Bytewing. The two commands a newcomer needs: `make demo` and `make test`.

VENV    := .venv
BIN     := $(VENV)/bin
STAMP   := $(VENV)/.installed
PYTHON  ?= $(shell command -v python3.11 || command -v python3)
JOBS    ?= $(shell nproc 2>/dev/null || echo 2)

ROOMS   := sim policies firmware_export scenarios

# Versions that were tested together; they are for the Python that CI runs.
LOCK     = $(shell $(BIN)/python -c 'import sys; print("-c requirements-dev.lock" * (sys.version_info[:2] == (3, 11)))')

.PHONY: help venv install demo test coverage lint links format lock bench clean

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
$(STAMP): pyproject.toml requirements-dev.lock | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(LOCK) -e '.[train,cluster,dev]'
	@touch $@

install: $(STAMP)  ## install Bytewing with everything it needs into .venv

demo: $(STAMP)  ## fly, learn, shrink, export, verify: at most ten minutes
	$(BIN)/bytewing demo --out out/demo

test: $(STAMP)  ## run every test
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup

coverage: $(STAMP)  ## run the fast tests and print which share of the lines they execute
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup -m 'not slow' --cov --cov-report term:skip-covered

links:  # bytewing/sim and its neighbours must be tracked as links and be links in this checkout
	@for room in $(ROOMS); do \
	  if [ ! -L bytewing/$$room ] || ! git ls-files -s bytewing/$$room | grep -q '^120000 '; then \
	    echo "bytewing/$$room is no symbolic link to ../$$room (docs/design.md, One import name);" \
	      "run: git config core.symlinks true && git checkout -- bytewing"; exit 1; fi; done

lint: $(STAMP) links  ## style, types, imports, links and the format of the C
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/clang-format --dry-run --Werror $$(git ls-files '*.c' '*.h')

format: $(STAMP)  ## rewrite Python and C in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $$(git ls-files '*.c' '*.h')

# PyTorch's CUDA packages are left out: its CPU build has none, and pip finds them by itself.
lock: $(STAMP)  ## write requirements-dev.lock from the newest releases
	$(BIN)/uv pip compile --quiet --upgrade --all-extras --python-version 3.11 \
	  --python-platform x86_64-manylinux_2_28 --no-annotate --no-header pyproject.toml | \
	  grep -vE '^(nvidia-|cuda-|triton=)' > $(STAMP).lock
	{ echo '# Constraints (pip install -c) of CI and make install; written by: make lock'; \
	  cat $(STAMP).lock; } > requirements-dev.lock

bench: $(STAMP)  ## speed of flights, camera and firmware
	$(BIN)/bytewing bench

clean:  ## remove what make made
	rm -rf $(VENV) out build
