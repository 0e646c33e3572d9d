"""The table in three formats."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from napari_cryopick.training.ablation.plan import plan
from napari_cryopick.training.ablation.scores import FIGURES, Scores
from napari_cryopick.training.ablation.tables import (
    Line,
    as_csv,
    as_latex,
    as_markdown,
    caption,
    summarise,
    write_tables,
)


def some_scores(f1: float, auc: float = 0.9) -> Scores:
    return Scores(f1, 0.5, auc, 0.7, 0.8, 0.5, 0.4)


def some_lines() -> list[Line]:
    scores = {"baseline": [some_scores(0.6), some_scores(0.7, math.nan)], "loss": []}
    return summarise(plan(1), scores)


def test_mean_and_range_over_seeds() -> None:
    baseline, *_, last = some_lines()
    assert str(baseline.figures["pixel_f1"]) == "65.0 (60.0–70.0)"
    assert str(baseline.figures["pixel_roc_auc"]) == "90.0 (90.0–90.0)"
    assert baseline.seeds == 2
    assert (last.name, last.published, last.figures) == ("CryoTransformer", 74.0, {})


def test_markdown() -> None:
    title, _, header, rule, first, second, *_ = as_markdown(some_lines(), "Title.").splitlines()
    assert title == "Title."
    assert header.count("|") == rule.count("|") == first.count("|") == len(FIGURES) + 3
    assert first.startswith("| Baseline (BCE) | 65.0 (60.0–70.0) | 50.0")
    assert first.endswith("| 62.66 |")
    assert second == "| + combined loss (focal + Dice) | – | – | – | – | – | 65.2 |"


def test_csv() -> None:
    rows = list(csv.DictReader(as_csv(some_lines(), "Title.").splitlines()))
    assert rows[0]["pixel_f1_mean"] == "65"
    assert rows[0]["pixel_f1_high"] == "70"
    assert rows[0]["seeds"] == "2"
    assert rows[1]["pixel_f1_mean"] == ""
    assert rows[-1]["published_pixel_f1"] == "74.0"


def test_latex_is_balanced_and_escaped() -> None:
    text = as_latex(some_lines(), "100 % of it_all")
    assert "100 \\% of it\\_all" in text
    assert "65.0 (60.0--70.0)" in text
    body = [line for line in text.splitlines() if line.endswith("\\\\")]
    assert len(body) == 1 + len(some_lines())
    assert {line.count("&") for line in body} == {len(FIGURES) + 1}
    assert text.count("\\begin") == text.count("\\end") == 2


def test_a_scaled_table_says_so() -> None:
    assert "Scaled: only 0.1 of all steps" in caption(3, "", 0.1)
    assert "mean over one random split (" in caption(1, "", 1.0)
    assert caption(3, "some", 1.0).endswith("(lowest–highest). Recipe some.")


def test_three_files_are_written(tmp_path: Path) -> None:
    write_tables(tmp_path, some_lines(), "Title.")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "ablation.csv",
        "ablation.md",
        "ablation.tex",
    ]
