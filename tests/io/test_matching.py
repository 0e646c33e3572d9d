"""Telling which micrograph a name means."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from napari_cryopick import CryopickError, Picks
from napari_cryopick.io import PickSet, left_out, match_picks


def matched(names: Sequence[str], paths: Sequence[str]) -> dict[str, str]:
    """Which name each path got, known by the number of picks."""
    picks = PickSet({name: Picks.at([[0, 0]] * (i + 1)) for i, name in enumerate(names)})
    found = match_picks(picks, [Path(path) for path in paths])
    return {str(path): names[len(one) - 1] for path, one in found.items()}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a.mrc", "/data/a.mrc"),
        ("MotionCorr/job002/Movies/a.mrc", "/elsewhere/a.mrc"),
        ("/old/disk/micrographs/a.mrc", "micrographs/a.mrc"),
        ("C:\\data\\a.mrc", "/data/a.mrc"),
        ("000001@Movies/a.mrcs", "/data/a.mrcs"),
        ("a.mrc", "/data/a.jpg"),
        ("a", "/data/a.mrc.gz"),
        ("May08_03.05.02", "/data/May08_03.05.02.mrc"),
        ("000123456789012345678_a_patch_aligned_doseweighted.mrc", "/data/a.mrc"),
        ("a_DW.mrc", "/data/a.mrc"),
        ("a.mrc", "/data/a_DW.mrc"),
        ("a_autopick", "/data/a.mrc"),
    ],
)
def test_one_name_and_one_path(name: str, path: str) -> None:
    assert matched([name], [path]) == {path: name}
    assert matched(["other.mrc", name], ["/data/unlike.mrc", path]) == {path: name}


def test_namesakes_are_reported_apart_by_their_folders() -> None:
    paths = ["/data/one/a.mrc", "/data/two/a.mrc"]
    names = ["/old/two/a.mrc", "/old/one/a.mrc"]
    assert matched(names, paths) == dict(zip(paths, reversed(names), strict=True))


def test_picks_of_a_namesake_elsewhere_are_not_taken() -> None:
    names = ["one/a.mrc", "two/a.mrc"]
    assert matched(names, ["/data/two/a.mrc"]) == {"/data/two/a.mrc": "two/a.mrc"}
    paths = ["/data/two/a.mrc", "/data/three/a.mrc"]
    assert matched(names, paths) == {"/data/two/a.mrc": "two/a.mrc"}
    assert matched(["two/a.mrc"], paths) == {"/data/two/a.mrc": "two/a.mrc"}


def test_the_right_suffix_goes_first() -> None:
    paths = ["/data/a.jpg", "/data/a.mrc"]
    assert matched(["a.mrc"], paths) == {"/data/a.mrc": "a.mrc"}


def test_micrographs_without_picks_are_left_out() -> None:
    assert matched(["b.mrc"], ["a.mrc", "b.mrc", "c.mrc"]) == {"b.mrc": "b.mrc"}
    assert matched([], ["a.mrc"]) == {}
    assert matched(["a.mrc"], []) == {}


def test_the_order_is_that_of_the_micrographs() -> None:
    assert list(matched(["c.mrc", "a.mrc", "b.mrc"], ["b.mrc", "c.mrc", "a.mrc"])) == [
        "b.mrc",
        "c.mrc",
        "a.mrc",
    ]


@pytest.mark.parametrize(
    ("names", "paths"),
    [
        (["a.mrc"], ["/one/a.mrc", "/two/a.mrc"]),
        (["one/a.mrc", "two/a.mrc"], ["/data/a.mrc"]),
        (["a.mrc"], ["/data/a.jpg", "/data/a.png"]),
    ],
)
def test_an_ambiguous_name_is_reported_with_both_meanings(
    names: list[str], paths: list[str]
) -> None:
    with pytest.raises(CryopickError) as caught:
        matched(names, paths)
    assert all(name in str(caught.value) for name in (*names, *paths))


def test_a_file_of_other_micrographs_is_reported_with_an_example_of_each() -> None:
    with pytest.raises(CryopickError, match=r'like "x/b1\.mrc".* like "/data/a1\.mrc"'):
        matched(["x/b1.mrc", "x/b2.mrc"], ["/data/a1.mrc", "/data/a2.mrc"])


def test_a_name_within_another_is_not_the_same() -> None:
    with pytest.raises(CryopickError, match="other micrographs"):
        matched(["mic_1_2.mrc"], ["mic_1.mrc"])


def test_endings_that_only_the_user_knows() -> None:
    picks = PickSet({"a_flattened.star": Picks.at([[1, 2]]), "b": Picks.at([[1, 2]])})
    paths = [Path("a.mrc"), Path("b_Flattened_DW.mrc")]
    with pytest.raises(CryopickError, match="other micrographs"):
        match_picks(picks, paths)
    assert list(match_picks(picks, paths, ["_flattened", ".star"])) == paths


def test_accents_are_compared_however_they_are_encoded() -> None:
    composed, apart = "Gr\u00f6/a.mrc", "Gro\u0308/a.mrc"
    paths = [f"/data/{apart}", "/data/other/a.mrc"]
    assert matched([composed], paths) == {paths[0]: composed}
    both = [f"/data/{composed[:3]}.mrc", f"/data/{apart[:4]}.mrc"]
    assert matched([Path(both[1]).name], both) == {both[1]: Path(both[1]).name}


def test_picks_that_belong_to_no_micrograph_are_said_by_name_and_number() -> None:
    picks = PickSet({"a.mrc": Picks.at([[1, 2]] * 3), "b.mrc": Picks.at([[1, 2]] * 4)})
    found = match_picks(picks, [Path("a.mrc")])
    assert left_out(picks, found).startswith("4 of 7 picks are left out, ")
    assert left_out(picks, found).endswith(": b.mrc.")
    assert left_out(picks, match_picks(picks, [Path("a.mrc"), Path("b.mrc")])) == ""
