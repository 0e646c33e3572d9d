"""Maps become picks with a score and a flag."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cryopick.detection.events import Maps
from napari_cryopick.detection.peaks import pick
from napari_cryopick.model.card import Calibration, ModelCard
from napari_cryopick.picks import Picks, Source, Status
from napari_cryopick.settings import BORDER

SHAPE = (400, 600)
SCALE = 0.25
PARTICLE_PX = 20.0
DIAMETER_PX = PARTICLE_PX / SCALE


def card(**figures: float) -> ModelCard:
    calibration = Calibration(**figures)
    return ModelCard(architecture="compact", particle_px=PARTICLE_PX, calibration=calibration)


def maps(*centres: tuple[float, float], ice: slice | None = None) -> Maps:
    """Maps with a bump at each of the centres, given in micrograph pixels."""
    y, x = np.indices((100, 150))
    centre = np.zeros((100, 150), dtype=np.float32)
    for row, column in (np.array(centres) + 0.5) * SCALE - 0.5:
        bump = 0.9 * np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * 2.4**2))
        centre = np.maximum(centre, bump.astype(np.float32))
    contamination = np.zeros_like(centre)
    if ice is not None:
        contamination[:, ice] = 0.9
    return Maps(np.zeros_like(centre), centre, contamination, SCALE)


def picked(*centres: tuple[float, float], ice: slice | None = None) -> Picks:
    return pick(maps(*centres, ice=ice), card(), SHAPE)


def test_positions_are_in_micrograph_pixels():
    found = picked((203.3, 310.8))
    np.testing.assert_allclose(found.positions, [(203.3, 310.8)], atol=0.2 / SCALE)
    assert found.sources.tolist() == [Source.MODEL]
    assert found.statuses.tolist() == [Status.OK]


@pytest.mark.parametrize("to_edge", [0.5, 2.0])
@pytest.mark.parametrize("edge", ["top", "bottom", "left", "right"])
def test_a_particle_cut_by_the_edge_is_flagged(edge, to_edge):
    inset = to_edge * BORDER * DIAMETER_PX
    place = {
        "top": (inset, 300),
        "bottom": (SHAPE[0] - 1 - inset, 300),
        "left": (200, inset),
        "right": (200, SHAPE[1] - 1 - inset),
    }[edge]
    expected = Status.BORDER if to_edge < 1 else Status.OK
    assert picked(place).statuses.tolist() == [expected]


def test_a_particle_on_contamination_is_flagged_and_its_neighbour_is_not():
    found = picked((200, 100), (200, 500), ice=slice(100, 150))
    by_column = dict(zip(found.positions[:, 1].round(-1), found.statuses, strict=True))
    assert by_column == {100: Status.OK, 500: Status.CONTAMINATION}


def test_the_minimum_distance_is_in_diameters():
    both = maps((200, 200), (200, 200 + 0.7 * DIAMETER_PX))
    assert len(pick(both, card(), SHAPE, min_distance=0.5)) == 2
    assert len(pick(both, card(), SHAPE, min_distance=0.9)) == 1


def test_a_map_without_particles_gives_an_empty_table():
    found = picked()
    assert len(found) == 0
    assert found.positions.shape == (0, 2)
