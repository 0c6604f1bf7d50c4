"""What `models list` says of each packaged model."""

from __future__ import annotations

from dataclasses import replace

from orbwatch.models.registry import list_models
from orbwatch.report.model_words import figures_words, parameters_words, trained_words


def test_every_packaged_model_has_a_figure_and_nothing_is_trained_on_nothing() -> None:
    cards = [model.card for model in list_models()]
    assert cards
    for card in cards:
        assert figures_words(card) != "-", card.name
        assert parameters_words(card) != "0"
        assert not trained_words(card).startswith("0 ")
    assert figures_words(replace(cards[0], figures={})) == "-"
