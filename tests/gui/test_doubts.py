from __future__ import annotations

from math import isnan

import numpy as np

from napari_cryopick import Picks, Source, Status
from napari_cryopick.gui.docks.review import Why, doubts

RADIUS_PX = 10.0


def model(*rows: tuple[float, float, float]) -> Picks:
    return Picks.at([row[:2] for row in rows], [row[2] for row in rows], Source.MODEL)


def taught(picks: list[tuple[float, float]], deleted: list[tuple[float, float]]) -> Picks:
    statuses = [Status.OK] * len(picks) + [Status.DELETED] * len(deleted)
    sources = [Source.PERSON] * len(picks) + [Source.MODEL] * len(deleted)
    return Picks.at([*picks, *deleted], source=sources, status=statuses)


def test_disagreement_comes_first_and_then_what_the_model_is_least_sure_of():
    found = {
        0: model((10, 10, 0.9), (52, 50, 0.4), (90, 95, 0.8)),
        1: model((10, 10, 0.9), (40, 40, 0.35), (70, 70, 0.6)),
    }
    said = {0: taught([(12, 10), (120, 20)], [(50, 50), (90, 90), (150, 150)])}
    places = doubts(found, said, 0.3, RADIUS_PX)
    assert [(place.index, place.position, place.why) for place in places] == [
        (0, (90, 90), Why.FOUND_AGAIN),
        (0, (50, 50), Why.FOUND_AGAIN),
        (0, (120, 20), Why.NOT_FOUND),
        (1, (40, 40), Why.UNSURE),
        (1, (70, 70), Why.UNSURE),
        (1, (10, 10), Why.UNSURE),
    ]
    assert places[0].score == 0.8
    assert isnan(places[2].score)
    assert places[0].sentence.endswith("finds it again (score 0.80).")
    assert places[2].sentence.endswith("does not find it.")


def test_picks_far_from_all_clicks_are_no_disagreement():
    found = {0: model((10, 10, 0.99), (100, 100, 0.99))}
    assert doubts(found, {0: taught([(10, 10)], [])}, 0.3, RADIUS_PX) == []


def test_of_very_many_picks_only_the_least_sure_are_told():
    rng = np.random.default_rng(0)
    rows = [(*rng.uniform(0, 4000, 2), score) for score in rng.uniform(0.3, 1, 400)]
    places = doubts({0: model(*rows)}, {}, 0.3, RADIUS_PX)
    assert len(places) == 50
    assert [place.score for place in places] == sorted(row[2] for row in rows)[:50]
