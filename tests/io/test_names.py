"""What is written is read back, whatever a micrograph is called, and RELION reads it too."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from napari_cryopick import CryopickError, Picks
from napari_cryopick.errors import CryopickWarning
from napari_cryopick.io import PickSet, read_picks, write_picks

pytestmark = pytest.mark.filterwarnings("ignore::napari_cryopick.errors.CryopickWarning")

LETTERS = st.characters(codec="utf-8", exclude_categories=["Cc"])
NAMES = st.text(LETTERS, min_size=1, max_size=300) | st.text("\"' #_;.,/\\", min_size=1, max_size=6)
PICKS = st.lists(
    st.tuples(st.integers(0, 9999), st.integers(0, 9999)), min_size=1, max_size=3, unique=True
)
AWKWARD = ["data_", "loop_", "_rlnCoordinateX #1", "#1.mrc", "run#2/m.mrc", "kim's/m.mrc", '"a"']
AWKWARD += ["'", '"', "a b.mrc", " a  b ", "nan", "NA", "001", "1e3", "None", ";", "a,b", "\xa0"]
AWKWARD += ["Gr\u00f6", "Gro\u0308", "\u3000", "\u2028", "a" * 300, "=1", "data_ x"]


def numbered(names: list[str]) -> PickSet:
    return PickSet({name: Picks.at([[i, 2 * i]]) for i, name in enumerate(names)}, 1.5)


def assert_read_back(path: Path, picks: PickSet) -> None:
    write_picks(path, picks)
    read = read_picks(path).by_micrograph
    assert list(read) == list(picks.by_micrograph)
    for name, one in picks.by_micrograph.items():
        np.testing.assert_array_equal(read[name].positions, one.positions)


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(NAMES, PICKS, min_size=1, max_size=5),
    st.sampled_from(["picks.star", "picks.csv", "."]),
)
def test_any_name_is_read_back(rows: dict[str, list], output: str) -> None:
    picks = PickSet({name: Picks.at(positions) for name, positions in rows.items()})
    with tempfile.TemporaryDirectory() as folder:
        try:
            assert_read_back(Path(folder) / output, picks)
        except CryopickError as error:
            assert "The quotes in" in str(error)  # noqa: PT017


@pytest.mark.parametrize("output", ["picks.star", "picks.csv", "."])
def test_awkward_names_are_read_back(tmp_path: Path, output: str) -> None:
    assert_read_back(tmp_path / output, numbered(AWKWARD))


def test_what_collides_in_a_folder_is_kept_apart(tmp_path: Path) -> None:
    names = ["/a.mrc", "a.mrc", "../a.mrc", "A.mrc", "b", "b.star/c", "x" * 250]
    assert_read_back(tmp_path, numbered(names))
    assert len(list(tmp_path.rglob("*.star"))) == len(names) + 1


def relion_words(line: str) -> list[str]:
    """Split a line as RELION's `simplify` and `nextTokenInSTAR` do."""
    line = " ".join(part for part in line.replace("\t", " ").split(" ") if part)
    words, at = [], 0
    while at < len(line) and line[at] != "#":
        if line[at] in "\"'":
            quote, end = line[at], at + 1
            while not (line[end] == quote and line[end + 1 : end + 2] in ("", " ")):
                end += 1
            words.append(line[at + 1 : end])
            at = end + 2
        else:
            end = line.find(" ", at) % (len(line) + 1)
            words.append(line[at:end])
            at = end + 1
    return words


@settings(deadline=None, max_examples=60)
@given(st.lists(NAMES.filter(lambda name: " " not in name), min_size=1, max_size=4, unique=True))
@example([name for name in AWKWARD if " " not in name])
def test_relion_finds_the_same_names(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picks.star"
        write_picks(path, numbered(names))
        content = path.read_bytes()
    assert b"\r" not in content
    lines = content.decode().split("\n")
    rows = lines[lines.index("data_particles") :]
    labels = [line for line in rows if line.startswith("_")]
    at = next(i for i, line in enumerate(labels) if line.startswith("_rlnMicrographName #"))
    first = rows.index(labels[-1]) + 1
    found = [relion_words(line) for line in rows[first : rows.index("", first)]]
    assert [words[at] for words in found] == names
    assert {len(words) for words in found} == {len(labels)}


@pytest.mark.parametrize("output", ["picks.star", "picks.csv"])
@pytest.mark.parametrize("name", ["a\nb.mrc", "a\tb.mrc", "a\x1fb.mrc"])
def test_a_name_that_no_file_can_hold_is_refused(tmp_path: Path, name: str, output: str) -> None:
    with pytest.raises(CryopickError, match="control character, unfit for a file of picks"):
        write_picks(tmp_path / output, numbered([name]))
    assert not (tmp_path / output).exists()


def test_spaces_are_said_to_be_a_problem_for_relion(tmp_path: Path) -> None:
    with pytest.warns(CryopickWarning, match=r"no spaces in names .* as in my data/a\.mrc and 1"):
        write_picks(tmp_path / "a.star", numbered(["my data/a.mrc", "b.mrc", "b 2.mrc"]))


def test_columns_that_are_called_alike_are_read_back(tmp_path: Path) -> None:
    columns = ["a b", "a_b", "a\tb", "#", "", "x y", "rlnCoordinateX", "confidence", "width"]
    columns += ["height", "Score"]
    extra = {name: np.array([i]) for i, name in enumerate(columns)}
    picks = PickSet({"a.mrc": Picks.at([[1, 2]], 0.5, extra=extra)})
    for path in (tmp_path / "a.csv", tmp_path / "a.star"):
        write_picks(path, picks)
        (read,) = read_picks(path).by_micrograph.values()
        np.testing.assert_array_equal(read.positions, [[1, 2]])
        assert [int(value[0]) for value in read.extra.values()] == list(range(len(columns)))
