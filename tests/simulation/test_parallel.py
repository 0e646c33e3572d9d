from __future__ import annotations

import pytest

from napari_cryopick import CryopickError
from napari_cryopick.simulation import parallel


def test_what_fails_in_a_thread_is_raised():
    def fail(item):
        raise CryopickError("no")

    with pytest.raises(CryopickError, match="no"):
        list(parallel.map_in_order(fail, range(4), 2))
    assert list(parallel.map_in_order(str, range(5), 2)) == list("01234")
