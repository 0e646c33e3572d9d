from __future__ import annotations

import gzip

import gemmi
import numpy as np
import pytest

from napari_cryopick import CryopickError
from napari_cryopick.simulation.potential import CONTRAST_PER_DALTON
from napari_cryopick.simulation.structure import read_structure

from .conftest import RING_ANGSTROM, pdb

ALANINE_DALTON = 71.08


def kilodalton(body):
    return body.weights.sum() / CONTRAST_PER_DALTON / 1000


def test_a_c_alpha_model_weighs_what_its_residues_weigh(half_ring_pdb):
    body = read_structure(half_ring_pdb, assembly="")
    assert len(body.positions) == 30
    assert kilodalton(body) == pytest.approx(30 * ALANINE_DALTON / 1000, rel=1e-3)


def test_the_assembly_makes_the_particle_whole(half_ring_pdb):
    body = read_structure(half_ring_pdb)
    assert len(body.positions) == 60
    assert body.diameter_angstrom == pytest.approx(2 * RING_ANGSTROM, abs=0.01)
    np.testing.assert_allclose(body.positions.mean(axis=0), 0, atol=1e-3)


def test_an_assembly_that_is_not_there_leaves_the_file_as_it_is(half_ring_pdb):
    assert len(read_structure(half_ring_pdb, assembly="7").positions) == 30


def test_atoms_share_their_residue_by_what_they_scatter(tmp_path):
    path = tmp_path / "two.pdb"
    path.write_text(pdb([(0, 0, 0), (20, 0, 0)], names=("C", "O")))
    body = read_structure(path)
    carbon, oxygen = body.weights[:2]
    assert oxygen / carbon == pytest.approx(1.9834 / 2.5088, rel=1e-4)
    assert kilodalton(body) == pytest.approx(2 * ALANINE_DALTON / 1000, rel=1e-3)


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
    with pytest.raises(CryopickError, match="give --assembly ''"):
        read_structure(path)
    assert len(read_structure(path, assembly="").positions) == 30


@pytest.mark.parametrize(
    ("model", "kda", "diameter"),
    [("7A4M", 484, 134), ("5A1A", 467, 182), ("1HTQ", 649, 157), ("2BUK", 1218, 197)],
)
def test_real_models_have_their_mass_and_size(shared_data, model, kda, diameter):
    body = read_structure(shared_data / "structures" / f"{model}.cif.gz")
    assert kilodalton(body) == pytest.approx(kda, rel=0.01)
    assert body.diameter_angstrom == pytest.approx(diameter, rel=0.02)
