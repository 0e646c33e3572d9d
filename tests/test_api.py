"""The functions of `import napari_cryopick as cryopick`, used as their docstrings say."""

from __future__ import annotations

import doctest
import inspect
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

import napari_cryopick as cryopick

FUNCTIONS = [name for name in cryopick.__all__ if inspect.isfunction(getattr(cryopick, name))]


@pytest.fixture
def folder(simulated, tmp_path, monkeypatch) -> Path:
    """The working directory: two micrographs and their particles."""
    (tmp_path / "micrographs").mkdir()
    for n in (1, 2):
        shutil.copy(simulated / f"micrographs/simulated_000{n}.mrc", tmp_path / "micrographs")
    truth = cryopick.read_picks(simulated / "particles.star")
    kept = dict(list(truth.by_micrograph.items())[:2])
    picks = cryopick.PickSet(kept, truth.pixel_size_angstrom)
    cryopick.write_picks(tmp_path / "particles.star", picks)
    first = {name: some[np.arange(5)] for name, some in list(kept.items())[:1]}
    clicks = cryopick.PickSet(first, truth.pixel_size_angstrom)
    cryopick.write_picks(tmp_path / "clicks.star", clicks)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "name", ["__init__", "predict", "train", "self_train", "extract", "evaluate"]
)
def test_the_examples_in_the_docstrings_run(name, folder):
    documented = cryopick if name == "__init__" else getattr(cryopick, name)
    globs = {"cryopick": cryopick, "Path": Path}
    (example,) = doctest.DocTestFinder(recurse=False).find(documented, name, globs=globs)
    assert example.examples
    report: list[str] = []
    outcome = doctest.DocTestRunner().run(example, out=report.append)
    assert outcome.failed == 0, "".join(report)


def test_the_examples_of_the_documentation_run(folder):
    page = (Path(__file__).parents[1] / "docs" / "python.md").read_text(encoding="utf-8")
    for example in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(example, "docs/python.md", "exec"), {})
    assert {path.name for path in folder.iterdir()} >= {"picks.star", "run", "another_run"}


def test_every_public_name_is_there_and_documented():
    for name in cryopick.__all__:
        assert inspect.getdoc(getattr(cryopick, name)), name
    assert set(cryopick.__all__) <= set(dir(cryopick))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        cryopick.nothing  # noqa: B018


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_parameters_of_every_function_are_documented(name):
    function = getattr(cryopick, name)
    documented = inspect.getdoc(function)
    assert "Raises\n------" in documented
    for parameter in inspect.signature(function).parameters:
        assert parameter in documented


def test_a_micrograph_that_cannot_be_used_is_a_warning_and_the_others_are_picked(folder):
    (folder / "micrographs" / "broken.mrc").write_bytes(b"no image")
    with pytest.warns(UserWarning, match=r"broken\.mrc"):
        picks = cryopick.predict("micrographs", diameter_angstrom=160)
    assert len(picks.by_micrograph) == 2
    assert picks.pixel_size_angstrom == pytest.approx(4)


def test_where_no_micrograph_can_be_used_it_is_an_error(folder):
    (folder / "broken.mrc").write_bytes(b"no image")
    with (
        pytest.warns(UserWarning, match=r"broken\.mrc"),
        pytest.raises(cryopick.CryopickError, match=r"broken\.mrc"),
    ):
        cryopick.predict("broken.mrc", diameter_angstrom=160)


def test_the_diameter_is_estimated_where_it_is_not_given(folder):
    picks = cryopick.predict(["micrographs/simulated_0001.mrc", "micrographs/simulated_0002.mrc"])
    assert picks.diameter_angstrom == pytest.approx(160, rel=0.3)


def test_a_setting_that_does_not_exist_is_an_error(folder):
    with pytest.raises(ValidationError, match="treshold"):
        cryopick.predict("micrographs", diameter_angstrom=160, treshold=0.5)


def test_picks_and_truth_may_be_files_or_tables(folder):
    truth = cryopick.read_picks("particles.star")
    from_files = cryopick.evaluate("particles.star", "particles.star", diameter_angstrom=160)
    from_tables = cryopick.evaluate(truth, truth, diameter_angstrom=160, ignored=truth)
    assert from_files == from_tables
    assert from_files.macro.f1 == 1


def test_micrographs_and_picks_are_read_as_arrays_in_pixels(folder):
    micrograph = cryopick.read_micrograph("micrographs/simulated_0001.mrc")
    assert micrograph.shape == (256, 320)
    first = next(iter(cryopick.read_picks("particles.star").by_micrograph.values()))
    assert np.all((first.positions >= 0) & (first.positions < micrograph.shape))


def test_marked_classes_are_trained_on(folder):
    found = cryopick.read_picks("particles.star")
    numbered = {
        name: cryopick.Picks.at(
            one.positions, extra={"rlnClassNumber": 1 + np.arange(len(one)) % 2}
        )
        for name, one in found.by_micrograph.items()
    }
    cryopick.write_picks("classes/particles.star", cryopick.PickSet(numbered))
    marks = {"classes": "classes", "particle": [1], "junk": [2]}
    short = {"diameter_angstrom": 160, "steps": 1}
    run = cryopick.train("micrographs", "clicks.star", output="a", **marks, **short)
    assert "From the classes" in run.advice
    assert cryopick.self_train("micrographs", output="b", rounds=0, **marks, **short).model.exists()
    with pytest.raises(cryopick.CryopickError, match="classes: no class is marked"):
        cryopick.train("micrographs", classes="classes", output="c", **short)
