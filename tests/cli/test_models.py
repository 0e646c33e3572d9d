"""Models by name, from the list to the picks."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from napari_cryopick.cli.main import main
from napari_cryopick.model.card import ModelCard
from napari_cryopick.model.weights import Model, load_weights, save_weights


@pytest.fixture(autouse=True)
def models(tmp_path, monkeypatch) -> Path:
    """The folder of one's own models."""
    monkeypatch.setenv("NAPARI_CRYOPICK_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def released(project, tmp_path) -> Path:
    """The project's model, with a card as one that is given to others has it."""
    trained = load_weights(project.run / "best" / "model.safetensors")
    card = ModelCard(
        **trained.card.model_dump(exclude={"name", "description", "metrics"}),
        name="ribosome",
        description="For ribosomes in [thin ice].",
        metrics={"f1": 0.87, "average_precision": None},
    ).model_copy(update={"training_data": ("EMPIAR-1 [/]", "EMPIAR-2"), "licence": "CC0"})
    save_weights(tmp_path / "file.safetensors", Model(trained.network, card))
    return tmp_path / "file.safetensors"


def test_a_model_is_imported_listed_used_and_removed(released, project, tmp_path, capsys):
    assert main(["models", "import", str(released)]) == 0
    released.unlink()
    assert main(["models"]) == 0
    listed = capsys.readouterr().out
    (row,) = [line for line in listed.splitlines() if "ribosome" in line]
    for told in ("imported", "compact", "MB", "0.87", "EMPIAR-1"):
        assert told in row
    picks = tmp_path / "picks.star"
    words = project.prediction(picks)
    words[words.index("--model") + 1] = "ribosome"
    assert main(words) == 0
    assert picks.is_file()
    assert main(["models", "remove", "ribosome"]) == 0
    assert main(["models", "show", "ribosome"]) == 1


def test_an_exported_run_is_one_file_for_somebody_else(project, tmp_path, monkeypatch):
    file = tmp_path / "sent" / "mine.safetensors"
    assert main(["models", "export", str(project.run), str(file)]) == 0
    assert [path.name for path in file.parent.iterdir()] == ["mine.safetensors"]
    monkeypatch.setenv("NAPARI_CRYOPICK_MODELS", str(tmp_path / "theirs"))
    assert main(["models", "import", str(file), "--name", "yours"]) == 0
    assert main(["models", "show", "yours"]) == 0


def test_the_card_is_shown_in_full(released, capsys):
    assert main(["models", "show", str(released)]) == 0
    shown = capsys.readouterr().out
    for told in ("ribosome", "[thin ice]", "EMPIAR-2", "CC0", "F1 0.87", "diameter (Å) 160"):
        assert told in " ".join(shown.split())


def test_list_and_card_for_a_program(released, project, capsys):
    main(["models", "import", str(released)])
    capsys.readouterr()
    assert main(["models", "--runs", str(project.run.parent), "--json", "-"]) == 0
    imported, run = json.loads(capsys.readouterr().out)["models"][-2:]
    assert (imported["name"], imported["from"]) == ("ribosome", "imported")
    assert imported["bytes"] == Path(imported["path"]).stat().st_size
    assert imported["card"]["metrics"]["f1"] == 0.87
    assert (run["name"], run["from"]) == (str(project.run), "run")
    assert main(["models", "show", "ribosome", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["card"] == imported["card"]


def test_without_models_the_list_says_where_to_get_one(models, capsys):
    assert main(["models"]) == 0
    assert capsys.readouterr().out


def test_a_file_among_the_models_that_is_none_is_told_and_the_others_are_listed(
    released, models, capsys
):
    main(["models", "import", str(released)])
    (models / "foreign.safetensors").write_text("?")
    assert main(["models"]) == 3
    out, err = capsys.readouterr()
    assert "ribosome" in out
    assert "foreign.safetensors is not a model file" in err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["import", "http://127.0.0.1/x.safetensors"], "comes without its hash"),
        (["import", "http://127.0.0.1:9/x.safetensors#sha256=" + "0" * 64], "download failed"),
        (["show", "nothing"], "nothing is neither the name of a model nor a file or run"),
        (["export", "nothing", "x.safetensors"], "nothing is neither"),
        (["remove", "nothing"], "nothing is not among the models imported"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(words, sentence, models, capsys):
    assert main(["models", *words]) == 1
    *_, err = capsys.readouterr().err.splitlines()
    assert sentence in err
    assert not list(models.rglob("*.safetensors"))


def test_the_file_that_is_exported_can_be_told_by_its_hash(project, tmp_path):
    """Whoever puts it on the web needs no other program than one for hashes."""
    file = tmp_path / "mine.safetensors"
    main(["models", "export", str(project.run), str(file)])
    best = project.run / "best" / "model.safetensors"
    assert sha256(file.read_bytes()).digest() == sha256(best.read_bytes()).digest()
