from __future__ import annotations

import pytest
from pydantic import ValidationError

from napari_cryopick.simulation.settings import SimulationSettings


def test_settings_written_and_read_back_are_the_same():
    settings = SimulationSettings(count=3, dose=(20, 40), synthetic=2, detector="integrating")
    assert SimulationSettings(**settings.model_dump(mode="json")) == settings


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"dose": (40, 30)}, "the smallest and the largest"),
        ({"defocus_angstrom": (-1, 30)}, "the smallest and the largest"),
        ({"illumination_falloff": (0, 1)}, "two values below 1"),
        ({"overlapping": 1.5}, "less than or equal to 1"),
        ({"detector": "film"}, "'counting' or 'integrating'"),
        ({"dos": (30, 40)}, "Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_is_refused(values, sentence):
    with pytest.raises(ValidationError, match=sentence):
        SimulationSettings(**values)
