"""CTF values on their way from RELION's list of micrographs to picks."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cryopick import CryopickError
from napari_cryopick.io.ctf import with_ctf
from napari_cryopick.picks import Picks, PickSet

LIST = """
data_optics

loop_
_rlnOpticsGroup #1
_rlnOpticsGroupName #2
_rlnVoltage #3
1 one 200

data_micrographs

loop_
_rlnMicrographName #1
_rlnOpticsGroup #2
_rlnCtfImage #3
_rlnDefocusU #4
_rlnDefocusAngle #5
MotionCorr/job002/a.mrc 1 CtfFind/a.ctf:mrc 11000.5 45
MotionCorr/job002/b.mrc 1 CtfFind/b.ctf:mrc 9000 30
"""


def test_picks_have_the_values_and_the_name_of_their_micrograph(tmp_path):
    path = tmp_path / "micrographs_ctf.star"
    path.write_text(LIST)
    picks = PickSet(
        {"/data/MotionCorr/job002/b.mrc": Picks.at([(1, 2), (3, 4)]), "c.mrc": Picks.at([(5, 6)])}
    )
    found = with_ctf(picks, [path])
    assert list(found.by_micrograph) == ["MotionCorr/job002/b.mrc", "c.mrc"]
    b, c = found.by_micrograph.values()
    assert b.extra["rlnDefocusU"].tolist() == [9000, 9000]
    assert b.extra["rlnDefocusAngle"].tolist() == [30, 30]
    assert "rlnCtfImage" not in b.extra
    assert "rlnDefocusU" not in c.extra
    np.testing.assert_array_equal(b.positions, [(1, 2), (3, 4)])
    assert found.optics["rlnVoltage"].tolist() == [200]


def test_a_list_without_ctf_values_changes_nothing(tmp_path):
    path = tmp_path / "micrographs.star"
    path.write_text("data_micrographs\n\nloop_\n_rlnMicrographName\na.mrc\n")
    picks = PickSet({"a.mrc": Picks.at([(1, 2)])})
    assert with_ctf(picks, [path]) is picks


def test_values_of_two_lists_are_not_mixed(tmp_path):
    lists = [tmp_path / "monday.star", tmp_path / "tuesday.star"]
    for path in lists:
        path.write_text(LIST)
    with pytest.raises(CryopickError, match=r"monday\.star and .*tuesday\.star hold CTF values"):
        with_ctf(PickSet({"a.mrc": Picks.at([(1, 2)])}), lists)
