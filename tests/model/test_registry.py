"""Models are found by name, file, run or address, kept under a name, and shared as one file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from napari_cryopick import CryopickError
from napari_cryopick.model import registry
from napari_cryopick.model.card import read_card
from napari_cryopick.model.registry import (
    VARIABLE,
    export_model,
    find_model,
    import_model,
    list_models,
    list_runs,
    load_model,
    models_folder,
    remove_model,
)


@pytest.mark.parametrize(
    ("name", "threshold"),
    [
        ("", 0.25),
        ("best", 0.25),
        ("iteration_0_supervised", 0.25),
        ("iteration_1_selftrain", 0.75),
        ("iteration_1_selftrain/model.safetensors", 0.75),
    ],
)
@pytest.mark.parametrize("kind", [str, Path])
def test_a_run_an_iteration_and_a_file_are_models(run, name, threshold, kind):
    assert load_model(kind(run / name)).card.threshold == threshold


def test_a_run_stays_whole_when_it_is_moved(run, tmp_path):
    moved = run.rename(tmp_path / "elsewhere")
    assert load_model(moved).card.threshold == 0.25


@pytest.mark.parametrize("name", ["no_such_model", "no/such/file.safetensors", ""])
def test_what_is_not_there_is_reported(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CryopickError, match=name or "No model is named"):
        load_model(name)


def test_a_folder_without_a_model_is_reported(tmp_path):
    with pytest.raises(CryopickError, match=f"{tmp_path} holds no trained model"):
        load_model(tmp_path)


def test_a_run_whose_best_is_lost_is_reported(run):
    (run / "iteration_0_supervised" / "model.safetensors").unlink()
    with pytest.raises(CryopickError, match="holds no trained model"):
        load_model(run)


def test_runs_are_listed_where_they_hold_a_model(run, tmp_path):
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "notes.txt").touch()
    (listed,) = list_runs(tmp_path)
    assert listed.name == str(run)
    assert load_model(listed.name).card.threshold == 0.25


def test_all_that_is_listed_can_be_loaded_by_its_name(models, save):
    save(models / "mine.safetensors", 0.5)
    listed = list_models()
    assert ("mine", "imported") in [(one.name, one.origin) for one in listed]
    for one in listed:
        assert find_model(one.name) == one.path
        assert load_model(one.name).card.particle_px > 0


def test_what_a_killed_import_has_left_is_not_listed(models, save):
    save(models / ".mine.17.safetensors", 0.5)
    assert [one for one in list_models() if one.origin == "imported"] == []


def test_a_bundled_model_comes_before_an_imported_one_and_that_before_a_file(
    models, save, tmp_path, monkeypatch
):
    bundled = tmp_path / "bundled"
    monkeypatch.setattr(registry, "_BUNDLED", bundled)
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "mine", 0.1)
    assert load_model("mine").card.threshold == 0.1
    save(models / "mine.safetensors", 0.2)
    assert load_model("mine").card.threshold == 0.2
    save(bundled / "mine.safetensors", 0.3)
    assert load_model("mine").card.threshold == 0.3


def test_the_folder_of_models_is_that_of_the_environment_or_of_the_platform(monkeypatch):
    monkeypatch.setenv(VARIABLE, "~/my models")
    assert models_folder() == Path.home() / "my models"
    monkeypatch.delenv(VARIABLE)
    assert models_folder().is_relative_to(Path.home())


def test_a_list_of_models_imports_no_torch():
    code = "import sys; from napari_cryopick.model.registry import list_models; list_models()"
    code += "; print(*sys.modules.keys() & {'torch', 'napari', 'pooch'})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def own() -> list[str]:
    return [listed.name for listed in list_models() if listed.origin == "imported"]


def test_a_model_goes_from_one_person_to_another_as_one_file(run, tmp_path, monkeypatch):
    file = export_model(run, tmp_path / "for you.safetensors")
    monkeypatch.setenv("NAPARI_CRYOPICK_MODELS", str(tmp_path / "yours"))
    assert import_model(str(file), "ribosome").name == "ribosome"
    file.unlink()
    assert own() == ["ribosome"]
    assert load_model("ribosome").card.threshold == 0.25


def test_one_iteration_and_a_model_by_name_can_be_exported(run, tmp_path):
    first = export_model(run / "iteration_1_selftrain", tmp_path / "first.safetensors")
    import_model(str(first))
    second = export_model("first", tmp_path / "second.safetensors")
    assert second.read_bytes() == first.read_bytes()
    assert read_card(second).threshold == 0.75


def test_a_model_is_called_what_it_calls_itself_or_as_its_file_or_run(save, run, tmp_path):
    assert import_model(str(run)).name == "my run"
    assert import_model(str(save(tmp_path / "plain.safetensors"))).name == "plain"
    assert import_model(str(save(tmp_path / "x.safetensors", name="proteasome"))).name == (
        "proteasome"
    )
    assert own() == ["my run", "plain", "proteasome"]


def test_a_model_is_imported_from_the_web(web, save, tmp_path):
    path = save(tmp_path / "released.safetensors", 0.25)
    kept = import_model(web.publish(path))
    web.go_off()
    assert load_model("released").card.threshold == 0.25
    assert kept.path.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("name", ["mine", "MINE"])
def test_a_name_is_taken_once(name, save, tmp_path):
    import_model(str(save(tmp_path / "a.safetensors", 0.1)), "mine")
    with pytest.raises(CryopickError, match=f"a model called {name} already"):
        import_model(str(save(tmp_path / "b.safetensors", 0.2)), name)
    assert load_model("mine").card.threshold == 0.1


def test_the_name_of_a_bundled_model_is_taken(save, tmp_path, monkeypatch):
    save(tmp_path / "bundled" / "general.safetensors")
    monkeypatch.setattr(registry, "_BUNDLED", tmp_path / "bundled")
    with pytest.raises(CryopickError, match="called general already"):
        import_model(str(save(tmp_path / "general.safetensors")))
    with pytest.raises(CryopickError, match="general is not among the models imported"):
        remove_model("general")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(name=st.text(min_size=1) | st.from_regex(r"[\w ./\\:+-]{1,90}", fullmatch=True))
@example(name="../outside")
@example(name="a/b")
@example(name="https://a")
@example(name=".hidden")
@example(name="ends.")
def test_any_name_is_either_refused_or_finds_the_model_in_the_folder(name, save, models, tmp_path):
    source = tmp_path / "source.safetensors"
    if not source.exists():
        save(source)
    before = set(tmp_path.rglob("*"))
    try:
        kept = import_model(str(source), name)
    except CryopickError:
        assert set(tmp_path.rglob("*")) == before
        return
    assert kept.path.parent == models
    assert own() == [name]
    assert registry.find_model(name) == kept.path
    remove_model(name)
    assert own() == []


def test_what_is_no_model_is_neither_imported_nor_exported(models, tmp_path):
    other = tmp_path / "other.safetensors"
    other.write_text("weights")
    with pytest.raises(CryopickError, match="is not a model file"):
        import_model(str(other))
    with pytest.raises(CryopickError, match="is not a model file"):
        export_model(str(other), tmp_path / "out.safetensors")
    assert not models.exists()
    assert not (tmp_path / "out.safetensors").exists()


def test_an_export_is_called_what_it_is(run, tmp_path):
    with pytest.raises(CryopickError, match=r"let it end in \.safetensors"):
        export_model(run, tmp_path / "model.pt")


def test_only_what_was_imported_is_removed(run, models):
    import_model(str(run), "mine")
    with pytest.raises(CryopickError, match="is not among the models imported"):
        remove_model(str(run))
    remove_model("mine")
    assert own() == []
    assert (run / "best" / "model.safetensors").is_file()
