"""Read atomic models and density maps as particle models."""

from __future__ import annotations

import warnings
from pathlib import Path

import gemmi
import mrcfile
import numpy as np
from numpy.typing import NDArray

from ..errors import CryopickError
from ..io.files import reading
from .particle_model import ParticleModel
from .potential import CONTRAST_PER_DALTON, PROTEIN_OVER_ICE_VOLT

MODEL_SUFFIXES = (".pdb", ".ent", ".cif", ".mmcif")
MAP_SUFFIXES = (".mrc", ".map", ".ccp4")

_WATER_DALTON, _HYDROGEN_SHARE = 18.015, 0.07
"""Lost where residues are joined; and of the mass of a protein, as models rarely hold hydrogen."""

_SMALLEST_ANGSTROM, _MOST_POINTS = 5.0, 200_000
"""Diameter of a particle, not of a ligand or an atom; voxels of a map that are quick to project."""


def read_structure(
    path: str | Path, assembly: str = "1", contour: float | None = None
) -> ParticleModel:
    """Read an atomic model (PDB, mmCIF) or a density map (MRC, CCP4), gzipped or not.

    Parameters
    ----------
    path
        The file; its suffix decides how it is read.
    assembly
        Name of the biological assembly to build, where an atomic model has it; empty for none.
    contour
        Lowest density of a map that belongs to the particle. By default three standard
        deviations of the map, or two fifths of its highest densities if that is less.

    Raises
    ------
    CryopickError
        If the file is no structure, is damaged, or holds nothing.
    """
    path = Path(path)
    suffix = Path(path.name.lower().removesuffix(".gz")).suffix
    if suffix in MAP_SUFFIXES:
        return _read_density_map(path, contour)
    if suffix in MODEL_SUFFIXES:
        return _read_atomic_model(path, assembly)
    known = ", ".join(MODEL_SUFFIXES + MAP_SUFFIXES)
    raise CryopickError(f"{path} is no structure; give one of {known}, or one of these with .gz.")


def _read_atomic_model(path: Path, assembly: str) -> ParticleModel:
    """Read the first model of a file, without waters.

    A residue weighs what it weighs in a textbook, whichever of its atoms are there: models of
    C-alpha atoms or backbones have the contrast of whole ones. Its weight is shared out by the
    electron scattering of its atoms (Peng et al. 1996, Acta Cryst. A52, 257-276).
    """
    with reading(path, "an atomic model"):
        structure = gemmi.read_structure(str(path))
    if any(described.name == assembly for described in structure.assemblies):
        try:
            structure.transform_to_assembly(assembly, gemmi.HowToNameCopiedChain.AddNumber)
        except RuntimeError as error:
            raise CryopickError(
                f"{path} describes assembly {assembly} wrongly ({error}); "
                "choose another assembly, or none to use the model as it is."
            ) from error
    positions, daltons = _atoms(structure)
    if not len(positions):
        raise CryopickError(f"{path} holds no atoms; give a PDB or mmCIF file of a model.")
    particle = ParticleModel.centred(path.name.partition(".")[0], positions, daltons)
    if particle.diameter_angstrom < _SMALLEST_ANGSTROM:
        raise CryopickError(f"{path} is no larger than an atom; give the model of a particle.")
    return particle.scaled(CONTRAST_PER_DALTON)


def _atoms(structure: gemmi.Structure) -> tuple[NDArray, NDArray]:
    """Return positions (n, 3) of atoms in Å, and the mass in dalton that each stands for."""
    structure.remove_alternative_conformations()
    structure.remove_hydrogens()
    structure.remove_waters()
    residues = [residue for chain in structure[0] for residue in chain] if len(structure) else []
    atoms = [(atom, owner) for owner, one in enumerate(residues) for atom in one if atom.occ > 0]
    positions = np.array([atom.pos.tolist() for atom, _ in atoms]).reshape(-1, 3)
    scattering = np.array([atom.element.c4322.calculate_sf(0) * atom.occ for atom, _ in atoms])
    owners = np.array([owner for _, owner in atoms], dtype=np.intp)
    daltons = np.array([_residue_dalton(residue) for residue in residues])
    totals = np.bincount(owners, scattering, len(residues))
    return positions, daltons[owners] * scattering / np.maximum(totals[owners], 1e-9)


def _residue_dalton(residue: gemmi.Residue) -> float:
    """Return the mass of a residue within its chain; of an unknown one, that of its atoms."""
    known = gemmi.find_tabulated_residue(residue.name)
    if known.is_amino_acid() or known.is_nucleic_acid():
        return known.weight - _WATER_DALTON
    return float(sum(atom.element.weight for atom in residue)) * (1 + _HYDROGEN_SHARE)


def _read_density_map(path: Path, contour: float | None) -> ParticleModel:
    """Read the voxels above a contour, and give them the mean contrast of protein in ice.

    Maps come in any units. In a tight box the standard deviation is large.
    """
    volume, voxel_angstrom = _read_volume(path)
    positive = volume[volume > 0] if (volume > 0).any() else np.zeros(1)
    surface = min(3.0 * float(volume.std()), 0.4 * float(np.percentile(positive, 99)))
    level = surface if contour is None else contour
    volume, voxel_angstrom = _bin_volume(volume, voxel_angstrom, level)
    inside = volume > level
    if not inside.any():
        raise CryopickError(f"{path} holds nothing above {level:.3g}; choose a lower contour.")
    positions = np.argwhere(inside)[:, ::-1] * voxel_angstrom
    density = volume[inside].astype(float)
    weights = density / density.mean() * PROTEIN_OVER_ICE_VOLT * voxel_angstrom**3
    name = path.name.partition(".")[0]
    return ParticleModel.centred(name, positions, weights, voxel_angstrom / 2)


def _read_volume(path: Path) -> tuple[NDArray, float]:
    """Return a volume (z, y, x) and the edge of its voxels in Å."""
    with reading(path, "a density map"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with mrcfile.open(path, permissive=True) as mrc:
            data, edges = mrc.data, [float(mrc.voxel_size[axis]) for axis in "xyz"]
    if data is None or data.ndim != 3:
        raise CryopickError(f"{path} holds no volume; give a map of three dimensions.")
    if min(edges) <= 0 or max(edges) > 1.01 * min(edges):
        raise CryopickError(f"{path} does not say how large its voxels are; set its header.")
    return np.nan_to_num(np.asarray(data, dtype=np.float32)), edges[0]


def _bin_volume(volume: NDArray, voxel_angstrom: float, level: float) -> tuple[NDArray, float]:
    """Join voxels two by two by two until few enough are above a level."""
    while (volume > level).sum() > _MOST_POINTS and min(volume.shape) > 16:
        z, y, x = (size // 2 for size in volume.shape)
        even = volume[: 2 * z, : 2 * y, : 2 * x]
        volume = even.reshape(z, 2, y, 2, x, 2).mean(axis=(1, 3, 5))
        voxel_angstrom *= 2
    return volume, voxel_angstrom
