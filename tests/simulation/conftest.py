"""Small real files of structures."""

from __future__ import annotations

from pathlib import Path

import mrcfile
import numpy as np
import pytest

from napari_cryopick.simulation.ctf import aberration_phase, envelope
from napari_cryopick.simulation.particle_model import ParticleModel

RING_ANGSTROM = 40.0


def pdb(positions, residue="ALA", names=("CA",), remarks=()):
    """A PDB file of one chain; each residue has an atom of each name, all at one place."""
    lines, serial = list(remarks), 0
    for number, (x, y, z) in enumerate(positions, 1):
        for name in names:
            serial += 1
            lines.append(
                f"ATOM  {serial:5d}  {name:<3s} {residue} A{number:4d}    "
                f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00 10.00           {name[0]}"
            )
    return "\n".join([*lines, "END", ""])


DOUBLING = (
    "REMARK 350 BIOMOLECULE: 1",
    "REMARK 350 APPLY THE FOLLOWING TO CHAINS: A",
    "REMARK 350   BIOMT1   1  1.000000  0.000000  0.000000        0.00000",
    "REMARK 350   BIOMT2   1  0.000000  1.000000  0.000000        0.00000",
    "REMARK 350   BIOMT3   1  0.000000  0.000000  1.000000        0.00000",
    "REMARK 350   BIOMT1   2 -1.000000  0.000000  0.000000        0.00000",
    "REMARK 350   BIOMT2   2  0.000000 -1.000000  0.000000        0.00000",
    "REMARK 350   BIOMT3   2  0.000000  0.000000  1.000000        0.00000",
)


@pytest.fixture
def half_ring_pdb(tmp_path) -> Path:
    """Half of a ring of 60 residues around z; assembly 1 makes it whole."""
    angles = 2 * np.pi * np.arange(30) / 60
    ring = RING_ANGSTROM * np.column_stack([np.cos(angles), np.sin(angles), 0 * angles])
    path = tmp_path / "ring.pdb"
    path.write_text(pdb(ring, remarks=DOUBLING))
    return path


@pytest.fixture
def ball_map(tmp_path) -> Path:
    """A map of a ball, 60 Å wide, off the middle of its box."""
    z, y, x = np.mgrid[:40, :40, :40]
    ball = ((x - 22) ** 2 + (y - 18) ** 2 + (z - 20) ** 2 <= 10**2).astype(np.float32)
    path = tmp_path / "ball.mrc"
    with mrcfile.new(path, ball) as mrc:
        mrc.voxel_size = 3.0
    return path


@pytest.fixture(scope="session")
def blob() -> ParticleModel:
    """About 300 kDa of protein, 120 Å wide, without any symmetry."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(3000, 3)) * (25, 20, 12) + 20 * rng.normal(size=3)
    points = points[np.linalg.norm(points - points.mean(axis=0), axis=1) < 60]
    return ParticleModel.centred("blob", points, np.full(len(points), 400.0))


def contrast_transfer(rows, columns, optics):
    """The contrast transfer function of a weak phase object, as textbooks have it."""
    absorbed = np.arcsin(optics.amplitude_contrast)
    bent = aberration_phase(rows, columns, optics) + absorbed
    return -np.sin(bent) * envelope(rows**2 + columns**2, optics)
