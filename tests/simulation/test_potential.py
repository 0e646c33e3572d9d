from __future__ import annotations

import numpy as np
import pytest

from napari_cryopick.simulation.potential import (
    CARBON,
    ICE_VOLT,
    PROTEIN_OVER_ICE_VOLT,
    dose_attenuation,
    form_factor,
    protein_form_factor,
)


def test_damage_takes_fine_detail_first():
    frequency = np.array([0.01, 0.1, 0.3])
    left = dose_attenuation(frequency, 40, 300)
    assert (np.diff(left) < 0).all()
    assert left[0] > 0.95
    critical = 0.245 * 0.3**-1.665 + 2.81
    assert left[2] == pytest.approx(2 * critical / 40 * (1 - np.exp(-40 / 2 / critical)))
    assert dose_attenuation(frequency, 1e-6, 300) == pytest.approx(1, abs=1e-4)
    assert (dose_attenuation(frequency, 40, 200) < left).all()


def test_the_displaced_ice_hides_protein_at_low_frequency():
    frequency = np.array([0.0, 0.05, 0.15, 0.6])
    shape = protein_form_factor(frequency)
    assert shape[0] == pytest.approx(1)
    assert (shape[1:] > form_factor(CARBON, frequency[1:])).all()
    displaced = ICE_VOLT / PROTEIN_OVER_ICE_VOLT  # none is left at high frequency
    assert shape[3] == pytest.approx((1 + displaced) * form_factor(CARBON, frequency)[3], rel=0.01)
