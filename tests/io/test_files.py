"""Files appear whole or not at all, and failures are put in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_cryopick import CryopickError
from napari_cryopick.io import atomic_path, writing_in
from napari_cryopick.io.files import sweep


def test_a_file_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "new" / "picks.star"
    with atomic_path(target) as part:
        part.write_text("half")
        assert part.suffix == target.suffix
        assert not target.exists()
        part.write_text("whole")
    assert target.read_text() == "whole"
    assert list(target.parent.iterdir()) == [target]


def test_a_failure_leaves_the_old_file_and_no_rubbish(tmp_path: Path) -> None:
    target = tmp_path / "picks.star"
    target.write_text("old")
    with pytest.raises(KeyError), atomic_path(target) as part:
        raise KeyError(part.write_text("half"))
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_what_killed_processes_left_is_swept_away_and_nothing_else(tmp_path: Path) -> None:
    names = ["picks.star", ".hidden", ".part_model.safetensors", "a.1.star", ".config.yaml"]
    run = tmp_path / "run"
    run.mkdir()
    for name in names:
        (run / name).touch()
    with (
        atomic_path(run / "picks.star") as picks,
        atomic_path(run / ".part_model.safetensors") as state,
        atomic_path(run / "best") as best,
    ):
        for part in (picks, state, best):
            part.write_text("half")
        sweep(tmp_path)
        assert sorted(path.name for path in run.iterdir()) == sorted(names)
        for part in (picks, state, best):
            part.write_text("whole")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_reported_with_its_folder(tmp_path: Path) -> None:
    with (
        pytest.raises(CryopickError, match=rf"{tmp_path} is on a full disk"),
        writing_in(tmp_path),
        Path("/dev/full").open("w") as full,
    ):
        print("anything", file=full, flush=True)


@pytest.mark.usefixtures("unprivileged")
def test_a_forbidden_folder_is_reported() -> None:
    with (
        pytest.raises(CryopickError, match=r"^/ cannot be written to"),
        atomic_path("/picks.star") as part,
    ):
        part.write_text("anything")


def test_an_output_folder_that_is_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    with (
        pytest.raises(CryopickError, match="run is not a folder"),
        atomic_path(tmp_path / "run" / "picks.star"),
    ):
        pass


def test_other_troubles_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "picks.star"):
        (tmp_path / "missing.mrc").read_bytes()
