"""What a packaged model is and how well it does, in a few words each, from its card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orbwatch.models.card import Card


def parameters_words(card: Card) -> str:
    """Trainable numbers of a network; of trees, that they are trees."""
    return f"{card.parameters:,}" if card.parameters else "boosted trees"


def trained_words(card: Card) -> str:
    """How many windows it has learned from, if its card counts them."""
    windows = card.data.get("windows", 0)
    return f"{windows:,} windows" if windows else "see its card"


def figures_words(card: Card) -> str:
    """The one or two figures that matter of each kind of model, as measured on what it never saw; "-" without any."""
    try:
        return _FIGURES[card.kind](card.figures)
    except (KeyError, StopIteration, IndexError):  # a card of somebody's own need not have them
        return "-"


def _track(figures: dict[str, Any]) -> str:
    leo = figures["stored"]["LEO"]
    return f"LEO: median {leo['median_m']:.0f} m, {leo['ratio_to_least_squares'][0]:.2f} of least squares"


def _catalog(figures: dict[str, Any]) -> str:
    name, row = next((name, row) for name, row in figures.items() if name.endswith(", 1 d") and "ratio" in row)
    return f"{name}: median {row['median_km']:.1f} km, {row['ratio']:.2f} of SGP4"


def _collision(figures: dict[str, Any]) -> str:
    row = figures["2 days, all"]["predictor"]
    return f"2 days before: miss off by {row['miss_m']:.0f} m, {row['over_latest']:.2f} of the latest prediction's"


def _classifier(figures: dict[str, Any]) -> str:
    row = figures["gaps, network"]
    return f"kinds of gaps: macro F1 {row['macro_f1']:.2f}, chance {row['chance']:.2f}"


def _detector(figures: dict[str, Any]) -> str:
    row = figures["near_batch"]
    return f"near the Earth: {row['recall'][1]:.0%} of burns, precision {row['precision']:.0%}"


_FIGURES = {
    "trajectory": _track,
    "catalog": _catalog,
    "collision": _collision,
    "maneuver": _classifier,
    "maneuver-detector": _detector,
}
