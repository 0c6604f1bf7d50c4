"""Logarithms of covariances: inverse of each other, and safe to mix."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from orbwatch.uncertainty.matrix_log import exp_of, log_of


def covariance(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    axes, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    return np.asarray((axes * 10.0 ** rng.uniform(-4.0, 4.0, 3)) @ axes.T)


@given(st.integers(0, 10_000))
def test_the_logarithm_is_undone(seed: int) -> None:
    cov = covariance(seed)
    np.testing.assert_allclose(exp_of(log_of(cov)), cov, rtol=1e-6, atol=1e-11 * np.abs(cov).max())


@given(st.integers(0, 10_000), st.floats(-0.5, 1.5))
def test_any_mix_is_a_covariance_and_scales_in_proportion(seed: int, share: float) -> None:
    a, b = covariance(seed), covariance(seed + 1)
    mixed = exp_of((1.0 - share) * log_of(a) + share * log_of(b))
    assert (np.linalg.eigvalsh(mixed) > -1e-12 * np.abs(mixed).max()).all()
    np.testing.assert_allclose(exp_of(0.5 * (log_of(a) + log_of(16.0 * a))), 4.0 * a, rtol=1e-6, atol=1e-10 * a.max())


def test_a_matrix_that_rounding_made_indefinite_is_mended() -> None:
    flat = np.outer([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    assert np.isfinite(log_of(flat)).all()
