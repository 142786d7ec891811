# Two commands do it all: `make demo` shows the whole loop, `make test` runs the tests.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin

.PHONY: demo test readers check builders-check format docs results corpus partly-translated-corpus clean

$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[models,eval,datatrove,ray,s3,languages,infini-gram,dev]'
	touch $@

demo: $(VENV)/.installed ## every stage on a real model and the bundled sample
	$(BIN)/pivotlens demo --run runs/demo

test: $(VENV)/.installed ## all tests, with coverage
	$(BIN)/python -m pytest --cov --cov-report=term:skip-covered --cov-fail-under=90

readers: .readers/.installed ## the trainers' own readers of token files, for the tests that skip without them

.readers/.installed: tests/readers.txt $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target .readers -r tests/readers.txt
	touch $@

builders-check: $(VENV)/.installed ## the same for the builders of shipped data, with their tests
	cd builders && $(abspath $(BIN))/ruff format --check .
	cd builders && $(abspath $(BIN))/ruff check .
	cd builders && $(abspath $(BIN))/mypy
	cd builders && $(abspath $(BIN))/python -m pytest

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

corpus: $(VENV)/.corpus-installed ## 199 MB of free text in seven languages, in corpus/open-desktop
	cd builders && $(abspath $(BIN))/python -m open_desktop_corpus --out ../corpus/open-desktop

partly-translated-corpus: $(VENV)/.installed ## 87 MB of manuals in 31 languages, labelled by folder, in corpus/partly-translated
	cd builders && $(abspath $(BIN))/python -m partly_translated_corpus --out ../corpus/partly-translated

$(VENV)/.corpus-installed: builders/pyproject.toml $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt './builders[corpus]'
	touch $@

clean:
	rm -rf $(VENV) .readers .hypothesis $(foreach folder,. builders,$(addprefix $(folder)/,.mypy_cache .pytest_cache .ruff_cache))
