.DEFAULT_GOAL := help
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/pip --quiet --disable-pip-version-check
TYPED := lua pools jobs nodes scheduler_site sdk/parley tests

.PHONY: help up test check format soak-frames soak-lua pictures bench lock install install-dev install-speech

help: ## List the targets
	@sed -nE 's/^([a-z-]+):[^#]*## /\1 /p' $(MAKEFILE_LIST) \
	  | while read -r target text; do printf '%-12s %s\n' "$$target" "$$text"; done

up: install $(if $(filter 1,$(SPEECH)),install-speech) ## Start everything on this machine: PORT=5010 HOST=127.0.0.1 WEB=1 DEMO=0 SPEECH=0
	@exec $(BIN)/python -m scheduler_site.supervisor --stop-with-parent

test: install-dev ## Run all tests, two files at a time; ARGS= is passed to pytest
	@$(BIN)/pytest -n 2 --dist loadfile $(ARGS)

check: install-dev ## Lint, types, layers, migrations and the production settings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(TYPED)
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	PARLEY_ENV=production SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))') \
	  ALLOWED_HOSTS=parley.example STATE_REDIS_URL=redis://redis.example:6379/0 \
	  $(BIN)/python manage.py check --deploy --fail-level WARNING

format: install-dev ## Format the code and sort the imports
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

soak-frames: install-dev ## Send two million odd frames to both sockets
	FUZZ_FRAMES=2000000 $(BIN)/pytest tests/fuzz

soak-lua: install-dev ## Run the state machine over the Lua scripts for a long time
	HYPOTHESIS_PROFILE=soak $(BIN)/pytest --timeout 0 tests/lua/test_machine.py

pictures: install-dev ## Take the README's pictures of the page anew, with Debian's Chromium
	PICTURES=docs/pictures $(BIN)/pytest tests/talk/test_pictures.py

bench: install-dev ## Run the benchmarks and print their tables
	$(BIN)/python -m bench.dispatch
	$(BIN)/python -m bench.overload
	$(BIN)/python -m bench.end_to_end
	$(BIN)/python -m bench.audit
	$(BIN)/python -m bench.simulate
	$(BIN)/python -m bench.sessions

lock: ## Pin what pyproject.toml needs, with hashes; ARGS=--upgrade takes newer versions
	$(PYTHON) -m venv .venv/lock
	.venv/lock/bin/pip install --quiet --disable-pip-version-check uv
	.venv/lock/bin/uv pip compile $(LOCK) $(ARGS) pyproject.toml --extra postgres -o requirements.txt
	.venv/lock/bin/uv pip compile $(LOCK) $(ARGS) pyproject.toml --extra postgres --extra dev --group speech \
	  -c requirements.txt -o requirements-dev.txt
	.venv/lock/bin/uv pip compile $(LOCK) $(ARGS) --group pyproject.toml:speech \
	  -c requirements-dev.txt -o requirements-speech.txt

LOCK := --quiet --no-config --universal --fork-strategy fewest --python-version 3.11 \
  --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

# `import parley` finds sdk/, without a build tool and whatever the folder one works in.
define LINK_SDK
import os, sysconfig
with open(os.path.join(sysconfig.get_path("purelib"), "parley.pth"), "w") as file:
    file.write(os.path.abspath("sdk") + "\n")
endef
export LINK_SDK

install: .venv/runtime.stamp
install-dev: .venv/development.stamp
install-speech: .venv/speech.stamp

.venv/made.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Parley needs Python 3.11 or newer.")'
	@echo "Making .venv with $(PYTHON)"
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/runtime.stamp: .venv/made.stamp requirements.txt
	@echo "Installing requirements.txt into .venv"
	@$(PIP) install --require-hashes -r requirements.txt
	@$(BIN)/python -c "$$LINK_SDK"
	@touch $@

.venv/development.stamp: .venv/runtime.stamp requirements-dev.txt
	@echo "Installing requirements-dev.txt into .venv"
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@

.venv/speech.stamp: .venv/runtime.stamp requirements-speech.txt
	@echo "Installing requirements-speech.txt into .venv"
	@$(PIP) install --require-hashes -r requirements-speech.txt
	@touch $@
