VENV ?= .venv
PY := $(VENV)/bin/python
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: venv run test check lock clean

$(STAMP): requirements.lock pyproject.toml
	@echo "Setting up $(VENV) ..."
	@if command -v uv >/dev/null 2>&1; then \
		uv venv -q --clear $(VENV) && VIRTUAL_ENV=$(VENV) uv pip install -q -r requirements.lock -e .; \
	else \
		python3 -m venv --clear $(VENV) && $(PY) -m pip install -q --disable-pip-version-check -r requirements.lock -e .; \
	fi
	@touch $@

venv: $(STAMP)

run: $(STAMP)
	@$(BIN)/gridlib init --sample --home .
	@$(BIN)/gridlib run --notebooks --home .

test: $(STAMP)
	@$(PY) -m pytest -n auto --dist loadfile --no-loadscope-reorder

check: $(STAMP)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(MAKE) --no-print-directory test

lock:
	uv pip compile -q --universal --python-version 3.11 --all-extras --group dev --no-annotate --no-header pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV)
