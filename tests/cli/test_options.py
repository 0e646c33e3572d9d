from __future__ import annotations

import pytest

from napari_cryopick.cli.main import build_app
from napari_cryopick.cli.options import default_shown, option_name


@pytest.mark.parametrize(
    ("field", "option"),
    [
        ("diameter_angstrom", "diameter"),
        ("pixel_size_angstrom", "pixel-size"),
        ("patch_px", "patch"),
        ("min_distance", "min-distance"),
        ("seed", "seed"),
    ],
)
def test_options_carry_no_unit(field, option):
    assert option_name(field) == option


def test_only_defaults_that_say_something_are_shown():
    assert [default_shown(value) for value in (None, False, "")] == [None] * 3
    assert [default_shown(value) for value in (0, 0.5, "auto")] == ["0", "0.5", "auto"]
    assert default_shown((4000.0, 32000.0)) == "4000 32000"


def test_what_is_on_by_default_can_be_turned_off():
    words = ["train", "a.mrc", "--output", "run", "--relabel-unlabelled=false"]
    _, bound, _ = build_app().parse_args(words)
    assert bound.arguments["settings"].relabel_unlabelled is False
