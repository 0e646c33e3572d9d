from __future__ import annotations

import gzip

import mrcfile
import numpy as np
import pytest

from napari_cryopick import CryopickError
from napari_cryopick.simulation.density import read_density
from napari_cryopick.simulation.potential import PROTEIN_OVER_ICE_VOLT


def test_a_map_has_the_contrast_of_its_volume_of_protein(ball_map):
    body = read_density(ball_map)
    volume = 4 / 3 * np.pi * 30**3
    assert body.weights.sum() == pytest.approx(PROTEIN_OVER_ICE_VOLT * volume, rel=0.05)
    assert body.diameter_angstrom == pytest.approx(60 + 2 * 3, abs=1)
    np.testing.assert_allclose(body.positions.mean(axis=0), 0, atol=1e-3)


def test_the_contour_decides_what_counts(ball_map):
    with mrcfile.open(ball_map, "r+") as mrc:
        mrc.data[:] *= np.where(np.arange(40) < 22, 1, 3)
        mrc.update_header_stats()
    whole, half = read_density(ball_map, contour=0.5), read_density(ball_map, contour=2)
    assert len(half.positions) == pytest.approx(len(whole.positions) / 2, rel=0.1)


def test_x_is_the_fastest_axis_of_the_file(tmp_path):
    rod = np.zeros((20, 20, 20), np.float32)
    rod[10, 10, 4:16] = 1
    path = tmp_path / "rod.map"
    with mrcfile.new(path, rod) as mrc:
        mrc.voxel_size = 2.0
    spread = read_density(path).positions.std(axis=0)
    assert spread[0] > 5
    assert spread[1:].max() == 0


def test_a_map_that_fills_its_box_has_a_surface(tmp_path):
    z, y, x = np.ogrid[-10:10, -10:10, -10:10]
    path = tmp_path / "tight.mrc"
    with mrcfile.new(path, (x**2 + y**2 + z**2 <= 81).astype(np.float32)) as mrc:
        mrc.voxel_size = 2.0
    assert read_density(path).diameter_angstrom == pytest.approx(36 + 2 * 2, abs=1)


def test_a_large_map_is_thinned_out_and_keeps_its_contrast(tmp_path):
    z, y, x = np.ogrid[:120, :120, :120]
    ball = ((x - 60) ** 2 + (y - 60) ** 2 + (z - 60) ** 2 <= 50**2).astype(np.float32)
    path = tmp_path / "large.mrc.gz"
    with mrcfile.new(tmp_path / "large.mrc", ball) as mrc:
        mrc.voxel_size = 1.0
    path.write_bytes(gzip.compress((tmp_path / "large.mrc").read_bytes(), 1))
    body = read_density(path, contour=0.5)
    assert len(body.positions) < 200_000
    assert body.weights.sum() == pytest.approx(
        PROTEIN_OVER_ICE_VOLT * 4 / 3 * np.pi * 50**3, rel=0.05
    )


def test_what_is_no_map_is_told_in_a_sentence(tmp_path, ball_map):
    with pytest.raises(CryopickError, match="lower --contour"):
        read_density(ball_map, contour=9)
    flat = tmp_path / "flat.mrc"
    with mrcfile.new(flat, np.zeros((8, 8), np.float32)):
        pass
    with pytest.raises(CryopickError, match="no volume"):
        read_density(flat)
    with pytest.raises(CryopickError, match="does not exist"):
        read_density(tmp_path / "none.mrc")
    with mrcfile.open(ball_map, "r+") as mrc:
        mrc.voxel_size = 0
    with pytest.raises(CryopickError, match="how large its voxels are"):
        read_density(ball_map)
