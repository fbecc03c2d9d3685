.DEFAULT_GOAL := help
PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: help test check

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | sort | expand -t 12

test: ## Run all tests
	$(BIN)/pytest

check: ## Lint
	$(BIN)/ruff check .
