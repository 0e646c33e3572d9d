from __future__ import annotations

import pytest

from napari_cryopick.training.advice import after
from napari_cryopick.training.settings import SelfTrainSettings


@pytest.mark.parametrize(
    ("changed", "accepted", "in_vain", "stopped", "said"),
    [
        ({}, 2, False, True, "resume it"),
        ({"rounds": 0}, 1, False, False, "starting from this run"),
        ({"always_accept": True}, 4, False, False, "kept unseen"),
        ({}, 1, True, False, "gained nothing"),
        ({}, 2, True, False, "More rounds gain nothing"),
        ({}, 2, False, False, "go on with more rounds"),
    ],
)
def test_the_end_of_a_run_says_what_to_do_next(changed, accepted, in_vain, stopped, said):
    settings = SelfTrainSettings(diameter_angstrom=100, **changed)
    assert said in after(settings, accepted, in_vain, stopped)
