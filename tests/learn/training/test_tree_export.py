"""Trees as ONNX say what scikit-learn says, missing values included."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from orbwatch.learn.training.tree_export import trees_to_onnx


@pytest.mark.parametrize("loss", ["absolute_error", "squared_error"])
def test_parity(loss: str) -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(3000, 12)).astype(np.float32)
    x[rng.random(x.shape) < 0.1] = np.nan
    y = np.nansum(x[:, :4], axis=1) + np.isnan(x[:, 5])
    models = [
        HistGradientBoostingRegressor(loss=loss, max_iter=20, random_state=k).fit(x[k::2], y[k::2]) for k in (0, 1)
    ]
    session = onnxruntime.InferenceSession(trees_to_onnx(models))
    (found,) = session.run(None, {session.get_inputs()[0].name: x})
    for column, model in enumerate(models):
        np.testing.assert_allclose(found[:, column], model.predict(x), atol=2e-5)
