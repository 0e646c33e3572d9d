"""Whole extractions: what is in the stack, what is left out, and what goes wrong."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from threading import Event

import mrcfile
import numpy as np
import pytest
import starfile
import tifffile
from pydantic import ValidationError

from napari_cryopick import CryopickError, extract, read_picks
from napari_cryopick.extraction import Extracted, ExtractSettings, Stack, extract_particles
from napari_cryopick.micrograph import Failed
from napari_cryopick.picks import Picks, PickSet, Status, flip_y

PIXELS = np.random.default_rng(0).normal(100, 10, (160, 200)).astype(np.float32)
CENTRES = [(50, 60), (80.25, 90.75), (3, 100)]
SETTINGS = ExtractSettings(box_px=32, bin=2, pixel_size_angstrom=2)


def save(path: Path, pixels: np.ndarray = PIXELS, pixel_size: float = 2) -> Path:
    with mrcfile.new(path, pixels) as mrc:
        mrc.voxel_size = pixel_size
    return path


def run(
    folder: Path, picks: Mapping[str, Picks], settings: ExtractSettings = SETTINGS, **how: object
) -> list:
    files = {folder / name: name for name in picks}
    events = extract_particles(files, PickSet(picks), settings, folder / "out/stack.mrcs", **how)
    return list(events)


def test_an_image_is_where_its_row_says(tmp_path):
    """Cut again at the place that a row names, the image is the same."""
    shifted = np.roll(PIXELS, (7, -5), axis=(0, 1))
    for name, pixels in (("a.mrc", PIXELS), ("b.mrc", shifted)):
        save(tmp_path / name, pixels)
    moved = Picks.at(np.add(CENTRES[:1], (7, -5)))
    *_, stack = run(tmp_path, {"a.mrc": Picks.at(CENTRES), "b.mrc": moved})
    images = mrcfile.read(stack.path)
    rows = starfile.read(stack.star)["particles"]
    assert images.shape == (stack.particles, stack.size, stack.size) == (3, 16, 16)
    assert rows["rlnMicrographName"].tolist() == ["a.mrc", "a.mrc", "b.mrc"]
    assert rows["rlnCoordinateY"].tolist() == [50, 80.25, 57]
    correlation = [np.corrcoef(images[2].ravel(), image.ravel())[0, 1] for image in images[:2]]
    assert correlation[0] > 0.99 > 0.5 > abs(correlation[1])
    assert stack.pixel_size_angstrom == 4
    assert not stack.has_ctf


def test_what_leaves_the_image_and_what_is_flagged_is_counted_and_left_out(tmp_path):
    save(tmp_path / "a.mrc")
    statuses = [Status.OK, Status.CONTAMINATION, Status.OK]
    done, stack = run(tmp_path, {"a.mrc": Picks.at(CENTRES, status=statuses)})
    assert (done.particles, done.outside, done.flagged) == (1, 1, 1)
    assert stack.particles == 1
    assert len(read_picks(stack.star)) == 1


def test_tiffs_are_cut_as_relion_reads_them(tmp_path):
    """RELION reads a TIFF's last row first: to it the same picture is an MRC upside down."""
    tifffile.imwrite(tmp_path / "a.tif", PIXELS)
    save(tmp_path / "a.mrc", PIXELS[::-1])
    picks = PickSet({"a.mrc": Picks.at(CENTRES)})
    *_, of_tiff = run(tmp_path, {"a.tif": Picks.at(CENTRES)})
    images, rows = mrcfile.read(of_tiff.path), starfile.read(of_tiff.star)["particles"]
    *_, of_mrc = run(tmp_path, flip_y(picks, len(PIXELS)).by_micrograph)
    np.testing.assert_allclose(images, mrcfile.read(of_mrc.path), atol=1e-3)
    expected = starfile.read(of_mrc.star)["particles"]
    for axis in ("rlnCoordinateX", "rlnCoordinateY"):
        assert rows[axis].tolist() == expected[axis].tolist()


def test_a_micrograph_that_cannot_be_used_costs_no_other(tmp_path):
    for name in ("a.mrc", "other.mrc", "z.mrc"):
        save(tmp_path / name, pixel_size=3 if name == "other.mrc" else 2)
    (tmp_path / "broken.mrc").write_bytes(b"no image")
    names = ("a.mrc", "broken.mrc", "other.mrc", "z.mrc")
    picks = dict.fromkeys(names, Picks.at(CENTRES))
    *events, stack = run(tmp_path, picks, ExtractSettings(box_px=32))
    assert [type(event) for event in events] == [Extracted, Failed, Failed, Extracted]
    assert "broken.mrc is not an MRC file" in events[1].message
    assert "other.mrc has pixels of 3 Å, others of 2 Å" in events[2].message
    assert stack.particles == 4
    assert mrcfile.validate(stack.path)
    assert list(read_picks(stack.star).by_micrograph) == ["a.mrc", "z.mrc"]


def test_stopped_it_keeps_what_is_done(tmp_path):
    picks = {save(tmp_path / f"{n}.mrc").name: Picks.at(CENTRES) for n in range(3)}
    stop, events = Event(), []
    files = {tmp_path / name: name for name in picks}
    for event in extract_particles(files, PickSet(picks), SETTINGS, tmp_path / "s.mrcs", stop):
        events.append(event)
        stop.set()
    done, stack = events
    assert isinstance(done, Extracted)
    assert isinstance(stack, Stack)
    assert mrcfile.read(stack.path).shape == (2, 16, 16)


def test_given_up_it_leaves_nothing_behind(tmp_path):
    save(tmp_path / "a.mrc")
    output = tmp_path / "out" / "s.mrcs"
    picks = PickSet({"a.mrc": Picks.at(CENTRES)})
    events = extract_particles({tmp_path / "a.mrc": "a.mrc"}, picks, SETTINGS, output)
    next(events)
    events.close()
    assert list(output.parent.iterdir()) == []


def test_without_particles_nothing_is_written(tmp_path):
    save(tmp_path / "a.mrc")
    with pytest.raises(CryopickError, match="There are no particles for"):
        run(tmp_path, {"a.mrc": Picks.at([(1, 1)])})
    assert list((tmp_path / "out").iterdir()) == []


def test_a_stack_that_the_disk_cannot_hold_is_not_begun(tmp_path):
    save(tmp_path / "a.mrc")
    huge = ExtractSettings(box_px=10**8, pixel_size_angstrom=2)
    with pytest.raises(CryopickError, match=r"GB left, where the stack takes 120000000\.0 GB"):
        run(tmp_path, {"a.mrc": Picks.at(CENTRES)}, huge)


@pytest.mark.parametrize(("box", "factor", "better"), [(33, 1, 32), (100, 3, 102), (32, 40, 80)])
def test_an_image_of_an_odd_edge_is_refused(box, factor, better):
    with pytest.raises(ValidationError, match=f"take {better} px"):
        ExtractSettings(box_px=box, bin=factor)


def test_the_stack_is_named_as_one_and_never_replaces_the_picks(tmp_path, simulated):
    micrographs, picks = simulated / "micrographs", simulated / "particles.star"
    with pytest.raises(CryopickError, match=r"let it end in \.mrcs"):
        extract(micrographs, picks, 32, tmp_path / "stack.mrc")
    shutil.copy(picks, tmp_path)
    for star in (picks, tmp_path / "particles.star"):
        with pytest.raises(CryopickError, match="would be replaced by the stack's"):
            extract(micrographs, star, 32, tmp_path / "particles.mrcs")


def test_values_of_ctf_estimation_reach_the_stack(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "MotionCorr" / "job002"
    folder.mkdir(parents=True)
    save(folder / "a.mrc")
    Path("micrographs_ctf.star").write_text(
        "data_optics\nloop_\n_rlnOpticsGroup\n_rlnOpticsGroupName\n_rlnVoltage\n1 one 200\n\n"
        "data_micrographs\nloop_\n_rlnMicrographName\n_rlnOpticsGroup\n_rlnDefocusU\n"
        "MotionCorr/job002/a.mrc 1 11000\n"
    )
    Path("picks.csv").write_text("micrograph,x,y\na.mrc,60,50\n")
    stack = extract("micrographs_ctf.star", "picks.csv", 32, "job/particles.mrcs")
    read = starfile.read(stack.star)
    row = read["particles"].iloc[0]
    assert (row["rlnMicrographName"], row["rlnDefocusU"]) == ("MotionCorr/job002/a.mrc", 11000)
    assert row["rlnImageName"] == "000001@job/particles.mrcs"
    assert read["optics"]["rlnVoltage"].tolist() == [200]
    assert stack.has_ctf
