from __future__ import annotations

from pathlib import Path

import pytest

from napari_cryopick.gui.models import TRAINED, ModelCombo, offer


@pytest.fixture
def combo(qtbot):
    combo = ModelCombo()
    qtbot.addWidget(combo)
    return combo


def test_an_iteration_is_listed_with_its_run(combo, tmp_path):
    offer(tmp_path / "run_2" / "iteration_1_selftrain")
    assert combo.currentText() == "run_2 / iteration_1_selftrain"
    assert combo.model() == str(tmp_path / "run_2" / "iteration_1_selftrain")


def test_what_is_offered_again_is_chosen_again_and_not_listed_twice(combo, tmp_path):
    first, second = tmp_path / "run_1", tmp_path / "run_2"
    for run in (first, second, first):
        offer(run)
    assert combo.model() == str(first)
    assert [Path(run) for run in TRAINED].count(first) == 1
