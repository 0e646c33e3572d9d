from __future__ import annotations

from math import isnan

import numpy as np

from napari_cryopick import Picks, Source, Status
from napari_cryopick.detection.uncertain_picks import Reason, uncertain_picks

RADIUS_PX = 10.0


def model(*rows: tuple[float, float, float]) -> Picks:
    return Picks.at([row[:2] for row in rows], [row[2] for row in rows], Source.MODEL)


def labelled(picks: list[tuple[float, float]], deleted: list[tuple[float, float]]) -> Picks:
    statuses = [Status.OK] * len(picks) + [Status.DELETED] * len(deleted)
    sources = [Source.PERSON] * len(picks) + [Source.MODEL] * len(deleted)
    return Picks.at([*picks, *deleted], source=sources, status=statuses)


def test_contradictions_come_first_and_then_what_the_model_is_least_sure_of():
    found = {
        0: model((10, 10, 0.9), (52, 50, 0.4), (90, 95, 0.8)),
        1: model((10, 10, 0.9), (40, 40, 0.35), (70, 70, 0.6)),
    }
    person = {0: labelled([(12, 10), (120, 20)], [(50, 50), (90, 90), (150, 150)])}
    picks = uncertain_picks(found, person, 0.3, RADIUS_PX)
    assert [(pick.index, pick.position, pick.reason) for pick in picks] == [
        (0, (90, 90), Reason.REJECTED_BUT_FOUND),
        (0, (50, 50), Reason.REJECTED_BUT_FOUND),
        (0, (120, 20), Reason.PLACED_BUT_NOT_FOUND),
        (1, (40, 40), Reason.UNSURE),
        (1, (70, 70), Reason.UNSURE),
        (1, (10, 10), Reason.UNSURE),
    ]
    assert picks[0].score == 0.8
    assert isnan(picks[2].score)


def test_picks_far_from_all_clicks_contradict_nothing():
    found = {0: model((10, 10, 0.99), (100, 100, 0.99))}
    assert uncertain_picks(found, {0: labelled([(10, 10)], [])}, 0.3, RADIUS_PX) == []


def test_of_very_many_picks_only_the_least_sure_are_listed():
    rng = np.random.default_rng(0)
    rows = [(*rng.uniform(0, 4000, 2), score) for score in rng.uniform(0.3, 1, 400)]
    picks = uncertain_picks({0: model(*rows)}, {}, 0.3, RADIUS_PX)
    assert len(picks) == 50
    assert [pick.score for pick in picks] == sorted(row[2] for row in rows)[:50]
