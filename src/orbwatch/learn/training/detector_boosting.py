"""Boosted trees that find maneuvers: taught by operators' burns, by burns put into quiet histories, and by quiet ones.

Histogram gradient boosting on the log loss (Friedman 2001; Ke et al. 2017, as scikit-learn has it), several models with
other random columns, averaged.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Float32

from orbwatch.learn.samples.gap_rows import GapRows
from orbwatch.settings_groups import DetectorSettings


def fit_models(real: GapRows, more: GapRows | None, settings: DetectorSettings) -> list[Any]:
    """Several models of one orbit; weights of `more` are in units of all real ones together."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    x, y, weight = real.x, real.burn, real.weight
    if more is not None:
        weight = np.concatenate([weight, weight.sum() * more.weight])
        x, y = np.concatenate([x, more.x]), np.concatenate([y, more.burn])
    options = {
        "learning_rate": settings.detector_rate,
        "max_iter": settings.detector_trees,
        "max_leaf_nodes": settings.detector_leaves,
        "min_samples_leaf": settings.detector_least,
        "max_features": settings.detector_features,
        "l2_regularization": settings.detector_shrink,
        "early_stopping": False,
    }
    models = []
    for seed in range(settings.detector_models):
        model = HistGradientBoostingClassifier(random_state=seed, **options)
        models.append(model.fit(x, y, sample_weight=weight))
    return models


def log_odds(models: list[Any], x: Float32[np.ndarray, "m columns"]) -> Float[np.ndarray, " m"]:
    """Mean over the models."""
    return np.asarray(np.mean([model.decision_function(x) for model in models], axis=0))
