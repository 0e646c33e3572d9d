"""Atomic models: what a file says the particle is made of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from ..errors import CryopickError
from .body import Body
from .potential import CONTRAST_PER_DALTON

if TYPE_CHECKING:
    import gemmi


Symmetry = Literal["C1", "C2", "C3", "C4", "C6", "D2", "D3", "D4", "D6", "D7", "T", "O", "I"]

_DOMAINS = 3
_FEWEST_SPHERES, _SPHERES_PER_DOMAIN = 2500, 60


def assemble(diameter_angstrom: float, symmetry: Symmetry, rng: np.random.Generator) -> NDArray:
    """Sphere centres (n, 3) in Å around the origin, one asymmetric unit after the other.

    A unit is a few ellipsoidal domains that touch; the point group copies it around the origin,
    and the whole is scaled so that it just fits its diameter.
    """
    group = point_group(symmetry)
    azimuth = rng.uniform(0, 2 * np.pi)
    offset = 0.5 * np.cbrt(len(group)) * np.array([np.cos(azimuth), np.sin(azimuth), 0.5])
    count = max(_SPHERES_PER_DOMAIN, _FEWEST_SPHERES // (_DOMAINS * len(group)))
    unit = np.concatenate([_domain(count, rng) for _ in range(_DOMAINS)]) + offset
    spheres = np.concatenate([rotation.apply(unit) for rotation in group])
    spheres -= spheres.mean(axis=0)
    spheres *= diameter_angstrom / 2 / np.linalg.norm(spheres, axis=1).max()
    return spheres


def point_group(symmetry: Symmetry) -> Rotation:
    """The rotations that lead from one asymmetric unit to each, itself included."""
    return Rotation.create_group(symmetry)  # type: ignore[arg-type]  # the stubs know no order


def fill_ball(count: int, rng: np.random.Generator) -> NDArray:
    """Points (count, 3) that fill the unit ball evenly."""
    points = rng.normal(size=(count, 3))
    points *= np.cbrt(rng.uniform(size=(count, 1))) / np.linalg.norm(points, axis=1, keepdims=True)
    return points


def _domain(count: int, rng: np.random.Generator) -> NDArray:
    """Spheres that fill an ellipsoid somewhere near the origin."""
    points = fill_ball(count, rng)
    points *= rng.uniform(0.4, 0.9, 3)
    points += rng.uniform(-0.6, 0.6, 3)
    return points


SUFFIXES = (".pdb", ".ent", ".cif", ".mmcif")
_WATER_DALTON = 18.015  # lost where residues are joined
_HYDROGEN_SHARE = 0.07  # of the mass of a protein; models rarely hold any
_SMALLEST_ANGSTROM = 5.0


def read_structure(path: str | Path, assembly: str = "1") -> Body:
    """Read an atomic model, PDB or mmCIF, gzipped or not: its first model, without waters.

    A residue weighs what it weighs in a textbook, whichever of its atoms are there: models of
    C-alpha atoms or backbones have the contrast of whole ones. Its weight is shared out by the
    electron scattering of its atoms (Peng et al. 1996, Acta Cryst. A52, 257-276).

    Parameters
    ----------
    assembly
        Name of the biological assembly to build, where the file has it; empty for none.
    """
    import gemmi

    path = Path(path)
    if not path.is_file():
        raise CryopickError(f"{path} does not exist; check its name.")
    try:
        structure = gemmi.read_structure(str(path))
    except (RuntimeError, ValueError, OSError) as error:
        reason = str(error).strip().rstrip(".").replace("\n", " ")
        raise CryopickError(f"{path} cannot be read as an atomic model: {reason}.") from error
    if assembly:
        _build(structure, assembly, path)
    positions, daltons = _weigh(structure)
    if not len(positions):
        raise CryopickError(f"{path} holds no atoms; give a PDB or mmCIF file of a model.")
    body = Body.around_its_centre(path.name.partition(".")[0], positions, daltons)
    if body.diameter_angstrom < _SMALLEST_ANGSTROM:
        raise CryopickError(f"{path} is no larger than an atom; give the model of a particle.")
    return body.scaled(CONTRAST_PER_DALTON)


def _build(structure: gemmi.Structure, assembly: str, path: Path) -> None:
    """Replace the asymmetric unit by an assembly, if the file describes it."""
    import gemmi

    if not any(one.name == assembly for one in structure.assemblies):
        return
    try:
        structure.transform_to_assembly(assembly, gemmi.HowToNameCopiedChain.AddNumber)
    except RuntimeError as error:
        raise CryopickError(
            f"{path} describes assembly {assembly} wrongly ({error}); "
            "give --assembly '' to take the model as it is."
        ) from error


def _weigh(structure: gemmi.Structure) -> tuple[NDArray, NDArray]:
    """Positions (n, 3) of atoms in Å, and the mass in dalton that each stands for."""
    structure.remove_alternative_conformations()
    structure.remove_hydrogens()
    structure.remove_waters()
    residues = [residue for chain in structure[0] for residue in chain] if len(structure) else []
    atoms = [(atom, residue) for residue in residues for atom in residue if atom.occ > 0]
    positions = np.array([atom.pos.tolist() for atom, _ in atoms]).reshape(-1, 3)
    scattering = np.array([atom.element.c4322.calculate_sf(0) * atom.occ for atom, _ in atoms])
    return positions, _share_out(residues, scattering)


def _share_out(residues: list[gemmi.Residue], scattering: NDArray) -> NDArray:
    """Mass of each atom: that of its residue, in proportion to what the atom scatters."""
    sizes = [sum(atom.occ > 0 for atom in residue) for residue in residues]
    owner = np.repeat(np.arange(len(residues)), sizes)
    daltons = np.array([_residue_dalton(residue) for residue in residues])
    totals = np.bincount(owner, scattering, len(residues))
    return np.asarray(daltons[owner] * scattering / np.maximum(totals[owner], 1e-9))


def _residue_dalton(residue: gemmi.Residue) -> float:
    """Mass of a residue within its chain; of one nobody knows, that of the atoms it has."""
    import gemmi

    known = gemmi.find_tabulated_residue(residue.name)
    if known.is_amino_acid() or known.is_nucleic_acid():
        return known.weight - _WATER_DALTON
    return float(sum(atom.element.weight for atom in residue)) * (1 + _HYDROGEN_SHARE)
