"""`napari-cryopick ablate` as a person types it."""

from __future__ import annotations

from napari_cryopick.cli.main import main


def command(project, output, *options: str) -> list[str]:
    words = ["ablate", project.micrographs, "--picks", project.particles, "--diameter", 160]
    words += ["--output", output, "--seeds", 1, "--steps", 20, "--round-steps", 20, "--scale", 0.1]
    words += ["--rounds", 1, "--batch-size", 2, "--patch", 32]
    words += ["--initial-model", "general"]
    return [*map(str, words), *options]


def test_a_scaled_ablation_prints_its_table(project, tmp_path, capsys) -> None:
    assert main(command(project, tmp_path)) == 0
    out, err = capsys.readouterr()
    assert "| + self-training, iteration 1 |" in out
    assert "scale: 0.1." in out
    assert f"The table is in {tmp_path}, in ablation.md and ablation.csv." in err


def test_an_unknown_recipe_is_one_sentence(project, tmp_path, capsys) -> None:
    assert main(command(project, tmp_path, "--recipe", "cake")) == 2
    assert "There is no recipe cake; the recipes are" in capsys.readouterr().err
