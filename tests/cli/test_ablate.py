"""`napari-cryopick ablate` as a person types it."""

from __future__ import annotations

import json

from napari_cryopick.cli.main import main


def command(project, output, *options: str) -> list[str]:
    words = ["ablate", project.micrographs, "--picks", project.particles, "--diameter", 160]
    words += ["--output", output, "--seeds", 1, "--steps", 20, "--round-steps", 20, "--scale", 0.1]
    words += ["--rounds", 1, "--batch-size", 2, "--patch", 32, "--test-share", 0.3]
    return [*map(str, words), *options]


def test_a_scaled_ablation_makes_tables_and_goes_on(project, tmp_path, capsys) -> None:
    output = tmp_path / "ablation"
    assert main(command(project, output, "--json", "-")) == 0
    out, err = capsys.readouterr()
    rows = json.loads(out)["rows"]
    assert [row["published_pixel_f1"] for row in rows] == [62.66, 65.2, 67.8, 71.5, 75.87, 74.0]
    assert rows[0]["seeds"] == 1
    assert "Seed 0, Baseline (BCE): pixel F1" in err
    assert "Scaled: only 0.1 of all steps" in (output / "ablation.md").read_text()
    assert main(command(project, output)) == 0
    out, err = capsys.readouterr()
    assert "known from before" in err
    assert "CryoTransformer" in out
    assert "62.66" in out


def test_an_unknown_recipe_is_one_sentence(project, tmp_path, capsys) -> None:
    assert main(command(project, tmp_path, "--recipe", "cake")) == 1
    assert 'There is no recipe "cake"; known are unet-selftrain-2025.' in capsys.readouterr().err
