"""Scaling is that of the training rows, however they come in batches, and it survives JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from orbwatch.errors import InputError
from orbwatch.learn.samples.features import FEATURES, QUERY, Inputs
from orbwatch.learn.samples.scaler import CLIP, Scaler


def made(n: int, seed: int, features: int = 24) -> Inputs:
    rng = np.random.default_rng(seed)
    eye = np.tile(np.eye(3), (n, 3, 1, 1))
    return Inputs(
        x=(7.0 + np.arange(1.0, features + 1) * rng.standard_normal((n, 20, features))).astype(np.float32),
        valid=rng.uniform(size=(n, 20)) < 0.9,
        query=rng.normal(-3.0, 2.0, (n, 3, 8)).astype(np.float32),
        mix=np.zeros((n, 3, 6, 12), np.float32),
        log_scale=np.zeros(n, np.float32),
        rv_km=np.zeros((n, 3, 6)),
        rtn=eye,
        factor_km=eye.astype(np.float32),
        factor_km_s=eye.astype(np.float32),
        target=None,
        usable=rng.uniform(size=n) < 0.8,
    )


def test_batches_add_up_to_the_whole() -> None:
    batches = [made(n, n) for n in (1, 40, 7, 200)]
    scaler = Scaler.fit(batches)
    rows = np.concatenate([b.x[b.valid & b.usable[:, None]] for b in batches]).astype(np.float64)
    queries = np.concatenate([b.query[b.usable].reshape(-1, 8) for b in batches]).astype(np.float64)
    np.testing.assert_allclose(scaler.mean, rows.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(scaler.spread, rows.std(axis=0), rtol=1e-12)
    np.testing.assert_allclose(scaler.query_mean, queries.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(scaler.query_spread, queries.std(axis=0), rtol=1e-12)
    assert scaler.features == tuple(f.name for f in FEATURES)


def test_applied_it_is_standard_and_clipped_and_empty_rows_are_zero() -> None:
    batch = made(500, 3)
    scaler = Scaler.fit([batch])
    batch.x[0, 0, 0] = 1e30
    batch.valid[0, 0] = True
    x, query = scaler.apply(batch)
    assert x.dtype == query.dtype == np.float32
    assert x[0, 0, 0] == CLIP
    assert not x[~batch.valid].any()
    inner = x[batch.valid & batch.usable[:, None]][1:]
    assert np.abs(inner.mean(axis=0)).max() < 5e-3
    assert np.abs(inner.std(axis=0) - 1.0).max() < 5e-3
    assert np.abs(query[batch.usable].std() - 1.0) < 1e-3


def test_what_never_varies_is_centred_only() -> None:
    batch = made(20, 4)
    batch.x[..., 5] = 2.5
    scaler = Scaler.fit([batch])
    assert scaler.spread[5] == 1.0
    assert not scaler.apply(batch)[0][..., 5].any()


def test_json_brings_back_every_digit() -> None:
    scaler = Scaler.fit([made(30, 5, features=20)])
    again = Scaler.from_dict(json.loads(json.dumps(scaler.to_dict())))
    assert again.features == scaler.features
    assert len(again.features) == 20
    for name in ("mean", "spread", "query_mean", "query_spread"):
        np.testing.assert_array_equal(getattr(again, name), getattr(scaler, name))


@pytest.mark.parametrize(
    "change",
    [
        {"features": ["x"] * 24},
        {"query": []},
        {"mean": [1.0]},
        {"spread": None},
        {"query_mean": [0.0, "a"]},
        {"query_spread": [float("nan")] * len(QUERY)},
    ],
)
def test_a_scaler_of_another_model_is_refused(change: dict[str, Any]) -> None:
    values = Scaler.fit([made(30, 6)]).to_dict() | change
    with pytest.raises(InputError, match="scaler"):
        Scaler.from_dict(values)


def test_other_features_and_nothing_are_refused() -> None:
    scaler = Scaler.fit([made(30, 7)])
    with pytest.raises(InputError, match="other features"):
        scaler.apply(made(2, 8, features=20))
    with pytest.raises(InputError, match="other features"):
        Scaler.fit([made(30, 7), made(30, 8, features=20)])
    with pytest.raises(InputError, match="no usable window"):
        Scaler.fit([replace(made(3, 9), usable=np.zeros(3, np.bool_))])
    with pytest.raises(InputError, match="no usable window"):
        Scaler.fit([])
