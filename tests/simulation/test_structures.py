from __future__ import annotations

import gzip

import gemmi
import mrcfile
import numpy as np
import pytest

from napari_cryopick import CryopickError
from napari_cryopick.simulation.potential import CONTRAST_PER_DALTON, PROTEIN_OVER_ICE_VOLT
from napari_cryopick.simulation.structures import read_structure

from .conftest import RING_ANGSTROM, pdb

ALANINE_DALTON = 71.08


def kilodalton(model):
    return model.weights.sum() / CONTRAST_PER_DALTON / 1000


def test_a_c_alpha_model_weighs_what_its_residues_weigh(half_ring_pdb):
    model = read_structure(half_ring_pdb, assembly="")
    assert len(model.positions) == 30
    assert kilodalton(model) == pytest.approx(30 * ALANINE_DALTON / 1000, rel=1e-3)


def test_the_assembly_makes_the_particle_whole(half_ring_pdb):
    model = read_structure(half_ring_pdb)
    assert len(model.positions) == 60
    assert model.diameter_angstrom == pytest.approx(2 * RING_ANGSTROM, abs=0.01)
    np.testing.assert_allclose(model.positions.mean(axis=0), 0, atol=1e-3)


def test_an_assembly_that_is_not_there_leaves_the_file_as_it_is(half_ring_pdb):
    assert len(read_structure(half_ring_pdb, assembly="7").positions) == 30


def test_atoms_share_their_residue_by_what_they_scatter(tmp_path):
    path = tmp_path / "two.pdb"
    path.write_text(pdb([(0, 0, 0), (20, 0, 0)], names=("C", "O")))
    model = read_structure(path)
    carbon, oxygen = model.weights[:2]
    assert oxygen / carbon == pytest.approx(1.9834 / 2.5088, rel=1e-4)
    assert kilodalton(model) == pytest.approx(2 * ALANINE_DALTON / 1000, rel=1e-3)


@pytest.mark.parametrize("suffix", [".cif", ".cif.gz", ".pdb.gz"])
def test_mmcif_and_compressed_files_give_the_same(half_ring_pdb, suffix):
    structure = gemmi.read_structure(str(half_ring_pdb))
    structure.setup_entities()
    cif = structure.make_mmcif_document().as_string()
    text = cif if "cif" in suffix else half_ring_pdb.read_text()
    path = half_ring_pdb.with_name(f"ring{suffix}")
    path.write_bytes(gzip.compress(text.encode()) if "gz" in suffix else text.encode())
    np.testing.assert_allclose(
        read_structure(path).positions, read_structure(half_ring_pdb).positions, atol=1e-3
    )


def test_waters_and_hydrogens_do_not_count(tmp_path):
    protein = pdb([(0, 0, 0), (30, 0, 0)]).removesuffix("END\n")
    water = pdb([(99, 0, 0)], residue="HOH", names=("O",)).replace(" A   1", " B   1")
    path = tmp_path / "wet.pdb"
    path.write_text(protein + water)
    assert len(read_structure(path).positions) == 2


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("empty.pdb", "END\n", "holds no atoms"),
        ("one.pdb", pdb([(0, 0, 0)]), "no larger than an atom"),
        ("nothing.cif", "", "cannot be read as an atomic model"),
        ("broken.cif", "data_x\nloop_\n_a\n_b\n1\n", "cannot be read as an atomic model"),
        ("missing.pdb", None, "does not exist"),
    ],
)
def test_what_is_no_particle_is_told_in_a_sentence(tmp_path, name, text, sentence):
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    with pytest.raises(CryopickError, match=sentence) as caught:
        read_structure(path)
    assert "\n" not in str(caught.value)


def test_an_assembly_that_cannot_be_built_is_told(half_ring_pdb):
    cif = gemmi.read_structure(str(half_ring_pdb)).make_mmcif_document().as_string()
    path = half_ring_pdb.with_suffix(".cif")
    path.write_text(cif)  # without the names of subchains that the assembly would need
    with pytest.raises(CryopickError, match="choose another assembly"):
        read_structure(path)
    assert len(read_structure(path, assembly="").positions) == 30


@pytest.mark.parametrize(
    ("model", "kda", "diameter"),
    [("7A4M", 484, 134), ("5A1A", 467, 182), ("1HTQ", 649, 157), ("2BUK", 1218, 197)],
)
def test_real_models_have_their_mass_and_size(shared_data, model, kda, diameter):
    model = read_structure(shared_data / "structures" / f"{model}.cif.gz")
    assert kilodalton(model) == pytest.approx(kda, rel=0.01)
    assert model.diameter_angstrom == pytest.approx(diameter, rel=0.02)


def test_a_map_has_the_contrast_of_its_volume_of_protein(ball_map):
    model = read_structure(ball_map)
    volume = 4 / 3 * np.pi * 30**3
    assert model.weights.sum() == pytest.approx(PROTEIN_OVER_ICE_VOLT * volume, rel=0.05)
    assert model.diameter_angstrom == pytest.approx(60 + 2 * 3, abs=1)
    np.testing.assert_allclose(model.positions.mean(axis=0), 0, atol=1e-3)


def test_the_contour_decides_what_counts(ball_map):
    with mrcfile.open(ball_map, "r+") as mrc:
        mrc.data[:] *= np.where(np.arange(40) < 22, 1, 3)
        mrc.update_header_stats()
    whole, half = read_structure(ball_map, contour=0.5), read_structure(ball_map, contour=2)
    assert len(half.positions) == pytest.approx(len(whole.positions) / 2, rel=0.1)


def test_x_is_the_fastest_axis_of_the_file(tmp_path):
    rod = np.zeros((20, 20, 20), np.float32)
    rod[10, 10, 4:16] = 1
    path = tmp_path / "rod.map"
    with mrcfile.new(path, rod) as mrc:
        mrc.voxel_size = 2.0
    spread = read_structure(path).positions.std(axis=0)
    assert spread[0] > 5
    assert spread[1:].max() == 0


def test_a_map_that_fills_its_box_has_a_surface(tmp_path):
    z, y, x = np.ogrid[-10:10, -10:10, -10:10]
    path = tmp_path / "tight.mrc"
    with mrcfile.new(path, (x**2 + y**2 + z**2 <= 81).astype(np.float32)) as mrc:
        mrc.voxel_size = 2.0
    assert read_structure(path).diameter_angstrom == pytest.approx(36 + 2 * 2, abs=1)


def test_a_large_map_is_thinned_out_and_keeps_its_contrast(tmp_path):
    z, y, x = np.ogrid[:120, :120, :120]
    ball = ((x - 60) ** 2 + (y - 60) ** 2 + (z - 60) ** 2 <= 50**2).astype(np.float32)
    path = tmp_path / "large.mrc.gz"
    with mrcfile.new(tmp_path / "large.mrc", ball) as mrc:
        mrc.voxel_size = 1.0
    path.write_bytes(gzip.compress((tmp_path / "large.mrc").read_bytes(), 1))
    model = read_structure(path, contour=0.5)
    assert len(model.positions) < 200_000
    assert model.weights.sum() == pytest.approx(
        PROTEIN_OVER_ICE_VOLT * 4 / 3 * np.pi * 50**3, rel=0.05
    )


def test_what_is_no_map_is_told_in_a_sentence(tmp_path, ball_map):
    with pytest.raises(CryopickError, match="lower contour"):
        read_structure(ball_map, contour=9)
    flat = tmp_path / "flat.mrc"
    with mrcfile.new(flat, np.zeros((8, 8), np.float32)):
        pass
    with pytest.raises(CryopickError, match="no volume"):
        read_structure(flat)
    with pytest.raises(CryopickError, match="does not exist"):
        read_structure(tmp_path / "none.mrc")
    with mrcfile.open(ball_map, "r+") as mrc:
        mrc.voxel_size = 0
    with pytest.raises(CryopickError, match="how large its voxels are"):
        read_structure(ball_map)
