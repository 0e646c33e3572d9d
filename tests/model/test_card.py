"""What a card says can be read, and the cards of older models too."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cryopick import CryopickError
from napari_cryopick.model.card import ModelCard, card_summary, read_card

TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
CARDS = st.builds(
    ModelCard,
    architecture=st.just("compact"),
    members=st.integers(1, 9),
    particle_px=st.floats(1, 100),
    metrics=st.dictionaries(TEXT, st.none() | st.floats(0, 1), max_size=3),
    settings=st.dictionaries(TEXT, st.none() | st.booleans() | TEXT, max_size=3),
    name=TEXT,
    description=TEXT,
    training_data=st.lists(TEXT, max_size=3).map(tuple),
    known_failures=st.lists(TEXT, max_size=3).map(tuple),
    licence=TEXT,
)


@given(card=CARDS)
def test_a_card_comes_back_as_it_was_and_can_be_told(card):
    assert ModelCard.model_validate_json(card.model_dump_json()) == card
    assert all(text for text in card_summary(card).values())
    assert all(line in card_summary(card).get("Trained on", "") for line in card.training_data)


def test_figures_that_are_not_known_are_not_told():
    card = ModelCard(
        architecture="compact",
        particle_px=20,
        metrics={"f1": 0.876, "average_precision": None, "threshold": 0.4},
        development={"apoferritin": 0.961},
        settings={"steps": 300, "epochs": None},
    )
    summary = card_summary(card)
    assert summary["Validation on held-out labels"] == "F1 0.88"
    assert summary["F1 on development micrographs"] == "0.96 apoferritin"
    assert summary["Settings"] == "steps 300"
    assert "Known failures" not in summary


def test_a_card_of_before_there_were_names_is_still_read():
    old = '{"architecture": "compact", "particle_px": 22, "teacher": "of a later version"}'
    card = ModelCard.model_validate_json(old)
    assert (card.name, card.training_data, card.known_failures, card.licence) == ("", (), (), "")


def test_a_card_is_read_from_a_file_without_its_weights(save, tmp_path):
    path = save(tmp_path / "x.safetensors", name="general", known_failures=("Filaments.",))
    card = read_card(path)
    assert card.name == "general"
    assert card.known_failures == ("Filaments.",)


def test_a_calibration_that_this_version_does_not_know_is_not_ignored(save, tmp_path):
    path = save(tmp_path / "x.safetensors")
    path.write_bytes(path.read_bytes().replace(b"density_prior", b"density_later"))
    with pytest.raises(CryopickError, match="made by a version of napari-cryopick that this one"):
        read_card(path)
