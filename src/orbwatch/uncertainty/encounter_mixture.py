"""Mixtures over what is left to change of an approach, and what follows of its miss distance and time.

Where: Gaussians. When: Laplace distributions, whose median is what most of the mass agrees on rather than its tails.

The miss distance is the length of a vector of two independent Gaussians with means (height and side), so that

    P(miss < x) = sum_k w_k E_h [Phi((c - s) / sigma_s) - Phi((-c - s) / sigma_s)],  c = sqrt(x^2 - h^2),

with the expectation over the height h = x sin(a), |h| < x, by Gauss-Legendre quadrature over the angle a, in which the
root is smooth: no drawing, the same answer every time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtr

HEIGHT, SIDE, ALONG = 0, 1, 2
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)
_REACH_SIGMA = 5.0
_TOLERANCE_KM, _TOLERANCE = 1e-6, 1e-7
_MOST_STEPS = 60
_FAR_KM, _FAR_SIGMA, _ROOT_2PI = 1e6, 30.0, np.sqrt(2.0 * np.pi)
_FAR_SCALES = 20.0  # exp(-20) / 2 of a Laplace distribution is beyond
_CHUNK = 8192


@dataclass(frozen=True, eq=False)
class EncounterMixture:
    """n approaches, K parts with independent axes each; kilometres."""

    weight: Float[np.ndarray, "n K"]
    """Of height and side; sum to 1."""
    mean: Float[np.ndarray, "n K 3"]
    """Height and side at the end; what is along the relative motion by which TCA shifts."""
    sigma: Float[np.ndarray, "n K 3"]
    """Standard deviations of height and side; of the shift the scale b of exp(-|x - mean| / b) / (2 b)."""
    along_weight: Float[np.ndarray, "n K"]
    """Of the shift; sum to 1."""

    def __len__(self) -> int:
        return len(self.weight)

    def take(self, rows: Int[np.ndarray, " m"]) -> EncounterMixture:
        """Some of them."""
        return EncounterMixture(self.weight[rows], self.mean[rows], self.sigma[rows], self.along_weight[rows])

    def miss_below(self, x_km: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """P(miss < x), x one for each approach; 0 for x below 0, 1 for infinite ones."""
        out = np.empty(len(self))
        for first in range(0, len(self), _CHUNK):
            some = slice(first, first + _CHUNK)
            weight, mean, sigma = self.weight[some], self.mean[some], self.sigma[some]
            x = np.clip(x_km[some], 1e-9, _FAR_KM)[:, None]
            middle, size = mean[:, :, HEIGHT], sigma[:, :, HEIGHT]
            low = np.arcsin(np.clip((middle - _REACH_SIGMA * size) / x, -1.0, 1.0))
            high = np.arcsin(np.clip((middle + _REACH_SIGMA * size) / x, -1.0, 1.0))
            angle = 0.5 * (low + high)[..., None] + 0.5 * (high - low)[..., None] * _NODES
            x = x[..., None]
            height, reach = x * np.sin(angle), x * np.cos(angle)
            z = np.clip((height - middle[..., None]) / size[..., None], -_FAR_SIGMA, _FAR_SIGMA)
            density = np.exp(-0.5 * z**2) * reach / (_ROOT_2PI * size[..., None])
            side, width = mean[:, :, SIDE, None], sigma[:, :, SIDE, None]
            share = density * (ndtr((reach - side) / width) - ndtr((-reach - side) / width))
            inside = share @ _WEIGHTS * 0.5 * (high - low)
            out[some] = (inside * weight).sum(axis=1)
        return np.clip(out, 0.0, 1.0)

    def miss_quantile(self, p: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """The miss distance that is not reached with probability p, one for each approach, to a millimetre."""
        high = np.hypot(*(np.abs(self.mean[..., i]) + 8.0 * self.sigma[..., i] for i in (HEIGHT, SIDE))).max(axis=1)
        return _solve(lambda rows, x: self.take(rows).miss_below(x), np.zeros(len(self)), high, p)

    def along_below(self, x_km: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """P(shift along the relative motion < x)."""
        z = (x_km[:, None] - self.mean[..., ALONG]) / self.sigma[..., ALONG]
        tail = 0.5 * np.exp(-np.abs(z))
        return np.asarray((np.where(z < 0.0, tail, 1.0 - tail) * self.along_weight).sum(axis=1))

    def along_quantile(self, p: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """The shift that is not reached with probability p."""
        far = _FAR_SCALES * self.sigma[..., ALONG]
        low, high = (self.mean[..., ALONG] - far).min(axis=1), (self.mean[..., ALONG] + far).max(axis=1)
        return _solve(lambda rows, x: self.take(rows).along_below(x), low, high, p)


def joined(members: list[EncounterMixture]) -> EncounterMixture:
    """Equal votes of several answers as one mixture."""
    weight, along, mean, sigma = (
        np.concatenate([getattr(member, name) for member in members], axis=1)
        for name in ("weight", "along_weight", "mean", "sigma")
    )
    return EncounterMixture(weight / len(members), mean, sigma, along / len(members))


def _solve(
    below: Callable[[Int[np.ndarray, " m"], Float[np.ndarray, " m"]], Float[np.ndarray, " m"]],
    low: Float[np.ndarray, " n"],
    high: Float[np.ndarray, " n"],
    p: Float[np.ndarray, " n"],
) -> Float[np.ndarray, " n"]:
    """Where rising functions (of chosen rows) take the value p, between low and high: inverse quadratic steps where
    they are safe, else halves (Chandrupatla 1997, doi:10.1016/S0965-9978(96)00051-8)."""
    out = 0.5 * (low + high)
    rows = np.arange(len(p))
    b, a = low, high
    fb, fa = below(rows, b) - p, below(rows, a) - p
    step = np.full(len(p), 0.5)
    for _ in range(_MOST_STEPS):
        x = a + step * (b - a)
        fx = below(rows, x) - p[rows]
        kept = np.sign(fx) == np.sign(fa)
        c, fc = np.where(kept, a, b), np.where(kept, fa, fb)
        b, fb = np.where(kept, b, a), np.where(kept, fb, fa)
        a, fa = x, fx
        out[rows] = np.where(np.abs(fa) < np.abs(fb), a, b)
        width = np.abs(b - a)
        open_ = (width > _TOLERANCE_KM) & (np.abs(fa) > _TOLERANCE)
        if not open_.any():
            break
        rows, a, b, c, fa, fb, fc, width = (v[open_] for v in (rows, a, b, c, fa, fb, fc, width))
        with np.errstate(divide="ignore", invalid="ignore"):
            xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
            inverse = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
        safe = (phi**2 < xi) & ((1.0 - phi) ** 2 < 1.0 - xi) & np.isfinite(inverse)
        least = np.minimum(0.5 * _TOLERANCE_KM / width, 0.5)
        step = np.where(safe, np.clip(inverse, least, 1.0 - least), 0.5)
    return np.asarray(out)
