# make test | demo | lint | format | weights: each sets up .venv first, on Debian also the packages it needs.

PYTHON ?= python3
BIN := .venv/bin
WINDOW_LIBRARIES := xvfb xauth libegl1 libgl1 libglx-mesa0 libgl1-mesa-dri libopengl0 libglib2.0-0 \
	libdbus-1-3 libfontconfig1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0 \
	libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0

.PHONY: test demo lint format weights window

test: .venv/installed window
	$(BIN)/pytest

demo: .venv/installed
	rm -rf demo
	$(BIN)/napari-cryopick demo
	@echo "napari and napari-cryopick are in $(BIN); to have them at hand: source $(BIN)/activate"

lint: .venv/installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-logo
	$(BIN)/deptry src
	$(BIN)/mypy

format: .venv/installed
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

weights: .venv/installed
	$(BIN)/napari-cryopick models pretrain src/napari_cryopick/model/bundled/general.safetensors

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -c "import ensurepip" || .ci/debian-install python3-venv
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@

window:
	@.ci/debian-install $(WINDOW_LIBRARIES)
