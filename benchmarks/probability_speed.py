"""Speed and accuracy of the 2-D probability of collision, beside plain scipy quadrature."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.integrate import dblquad, quad
from scipy.special import erf, erfcx

from orbwatch.conjunction.event import assess
from orbwatch.conjunction.maximum import alfano_2005_maximum
from orbwatch.conjunction.probability import alfano_2005, chan_1997, foster_1992

ROWS = 1_000_000
CHECKED = 1500
PEER_ROWS = 200
TINY = 1e-290  # below, a result is no longer a normal double with all its digits

Cases = tuple[np.ndarray, np.ndarray, np.ndarray]


def everyday(k: int, rng: np.random.Generator) -> Cases:
    """Larger sigma 50 m to 5 km, aspect ratio 1 to 100, any direction, miss 0 to about 5 sigmas, radius 1 to 30 m."""
    return _cases(
        10 ** rng.uniform(-1.3, 0.7, k), 10 ** -rng.uniform(0, 2, k), 1.5, 10 ** rng.uniform(-3, -1.5, k), rng
    )


def hard(k: int, rng: np.random.Generator) -> Cases:
    """Larger sigma 1e-3 to 1e4 radii, aspect ratio to 1e4, axes aligned; a third near the rim, a third in the tail."""
    radius = np.ones(k)
    sigma = 10 ** rng.uniform(-3, 4, k)
    ratio = 10 ** -rng.uniform(0, 4, k)
    miss, cov, _ = _cases(sigma, ratio, 1.5, radius, rng, turn=False)
    angle = rng.uniform(0, 2 * np.pi, k)
    rim = np.stack([np.cos(angle), np.sin(angle)], axis=1) * rng.uniform(0, 2, k)[:, None]
    tail = np.stack([np.cos(angle), np.sin(angle)], axis=1) * (
        1 + 10 ** rng.uniform(-1, 1.5, k)[:, None] * np.stack([sigma, sigma * ratio], axis=1)
    )
    kind = rng.integers(0, 3, k)[:, None]
    return np.where(kind == 0, miss, np.where(kind == 1, rim, tail)), cov, radius


def _cases(
    sigma: np.ndarray, ratio: np.ndarray, spread: float, radius: np.ndarray, rng: np.random.Generator, turn: bool = True
) -> Cases:
    k = len(sigma)
    angle = rng.uniform(0, np.pi, k) if turn else np.zeros(k)
    axes = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], axis=1).reshape(k, 2, 2)
    sigmas = np.stack([sigma, sigma * ratio], axis=1)
    cov = (axes * sigmas[:, None, :] ** 2) @ axes.swapaxes(1, 2)
    miss = (axes @ (rng.normal(0, spread, (k, 2)) * sigmas)[:, :, None])[:, :, 0]
    return miss, cov, radius


def converged(x: float, y: float, sx: float, sy: float, r: float) -> tuple[float, float]:
    """The circle's integral by brute force along the LARGER sigma (the library goes along the smaller one), and how far
    two orders of its rule differ: panels are halved until both orders agree in each, or cannot be halved.
    """
    x, y = abs(x), abs(y)

    def log_f(angle: np.ndarray) -> np.ndarray:
        p, h = r * np.sin(angle), r * np.cos(angle)
        near, far = (y - h) / sy, (y + h) / sy
        m = np.maximum(near, 0.0)
        outside = erfcx(m / math.sqrt(2)) - np.exp(0.5 * (m - far) * (m + far)) * erfcx(far / math.sqrt(2))
        inside = erf(far / math.sqrt(2)) - erf(near / math.sqrt(2))
        return np.log(0.5 * h * np.where(near > 0, outside, inside)) - 0.5 * (((p - x) / sx) ** 2 + m * m)

    rules = [np.polynomial.legendre.leggauss(order) for order in (12, 18)]
    # Panels shrink towards where the integrand may be sharp: the ends, the mean, the strip's edge at the mean.
    places = [
        -np.pi / 2,
        np.pi / 2,
        math.asin(min(1.0, x / r)),
        math.acos(min(1.0, y / r)),
        -math.acos(min(1.0, y / r)),
    ]
    steps = np.geomspace(1e-9, 1.0, 64)
    graded = [place + sign * steps for place in places for sign in (-1, 1)]
    points = np.unique(
        np.concatenate([places, np.linspace(-np.pi / 2, np.pi / 2, 200), *graded]).clip(-np.pi / 2, np.pi / 2)
    )
    low, high = points[:-1], points[1:]
    done, doubt, top = [], [], -math.inf
    for halving in range(20):
        half = 0.5 * (high - low)[:, None]
        logs = [log_f(low[:, None] + half * (1 + nodes)) for nodes, _ in rules]
        top = max(top, logs[1].max())
        sums = [
            np.sum(half * weights * np.exp(part - top), axis=1) for part, (_, weights) in zip(logs, rules, strict=True)
        ]
        split = (np.abs(sums[0] - sums[1]) > 1e-12 * sums[1].sum()) & (halving < 19)
        done.append((sums[1][~split].sum(), top))
        doubt.append((np.abs(sums[0] - sums[1])[~split].sum(), top))
        low, high = low[split], high[split]
        if not len(low):
            break
        middle = 0.5 * (low + high)
        low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
    total, off = (math.fsum(value * math.exp(at - top) for value, at in parts) for parts in (done, doubt))
    return total / (math.sqrt(2 * math.pi) * sx) * math.exp(top), off / total


def accuracy(cases: Cases) -> tuple[float, float, float, int]:
    """Largest and 99th percentile relative error of the circle, the reference's own uncertainty, and rows compared."""
    miss, cov, radius = cases
    pc = foster_1992(miss, cov, radius)
    errors, doubts = [], []
    values, axes = np.linalg.eigh(cov)
    along = (axes.swapaxes(1, 2) @ miss[:, :, None])[:, :, 0]
    for i in np.flatnonzero(pc > TINY):
        sy, sx = np.sqrt(values[i])
        true, doubt = converged(along[i, 1], along[i, 0], sx, sy, radius[i])
        errors.append(abs(pc[i] / true - 1))
        doubts.append(doubt)
    return max(errors), float(np.quantile(errors, 0.99)), max(doubts), len(errors)


def seconds(call: Callable[[], object], repeats: int = 3) -> tuple[float, float]:
    """Wall and processor time of the call with the least wall time, seconds."""
    times = []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        call()
        times.append((time.perf_counter() - wall, time.process_time() - cpu))
    return min(times)


def scipy_seconds(cases: Cases) -> tuple[tuple[float, float], tuple[float, float]]:
    """Times of `PEER_ROWS` probabilities by scipy: `dblquad` over the disk, `quad` of error functions' differences."""
    miss, cov, radius = cases
    values, axes = np.linalg.eigh(cov)
    along = (axes.swapaxes(1, 2) @ miss[:, :, None])[:, :, 0]

    def double(i: int) -> float:
        (y, x), (vy, vx), r = along[i], values[i], radius[i]
        scale = 1 / (2 * math.pi * math.sqrt(vx * vy))
        return dblquad(
            lambda q, p: scale * math.exp(-0.5 * ((p - x) ** 2 / vx + (q - y) ** 2 / vy)),
            -r, r, lambda p: -math.sqrt(r * r - p * p), lambda p: math.sqrt(r * r - p * p), epsabs=0.0, epsrel=1e-8,
        )[0]  # fmt: skip

    def single(i: int) -> float:
        (y, x), (sy, sx), r = along[i], np.sqrt(values[i]), radius[i]
        a, b = sx * math.sqrt(2), sy * math.sqrt(2)

        def f(p: float) -> float:
            h = math.sqrt(r * r - p * p)
            return math.exp(-(((p - x) / a) ** 2)) * (math.erf((y + h) / b) - math.erf((y - h) / b))

        return quad(f, -r, r, epsabs=0.0, epsrel=1e-8)[0] / (sx * math.sqrt(8 * math.pi))

    rows = range(PEER_ROWS)
    return seconds(lambda: [double(i) for i in rows], 1), seconds(lambda: [single(i) for i in rows], 1)


def bulk(k: int, rng: np.random.Generator) -> tuple[float, float]:
    """Times of the whole assessment of k events: states and RTN covariances to all methods, maximum and flags."""
    up, side = (vector / np.linalg.norm(vector, axis=1, keepdims=True) for vector in rng.normal(size=(2, k, 3)))
    one = np.cross(up, side)
    one /= np.linalg.norm(one, axis=1, keepdims=True)
    two = 7.5 * np.cross(up, one)
    cov = np.tile(np.diag([0.1, 0.8, 0.1]) ** 2, (k, 1, 1))
    args = (7e3 * up, 7.5 * one, cov, 7e3 * up + rng.normal(0, 1, (k, 3)), two, cov, rng.uniform(1, 10, k))
    return seconds(lambda: assess(*args))


def run(data: Path) -> str:  # noqa: ARG001
    rng = np.random.default_rng(20260801)
    cases = everyday(ROWS, rng)
    part: Cases = cases[0][: ROWS // 10], cases[1][: ROWS // 10], cases[2][: ROWS // 10]
    difficult = hard(ROWS // 20, rng)
    foster_1992(cases[0][:10], cases[1][:10], cases[2][:10])  # compiles
    circle = seconds(lambda: foster_1992(*cases))
    double, single = scipy_seconds(cases)
    measured = [
        ("`foster_1992`, circle", circle, ROWS),
        ("`foster_1992`, circle, one thread", seconds(lambda: foster_1992(*cases, threads=1)), ROWS),
        ("`foster_1992`, circle, hard cases (below)", seconds(lambda: foster_1992(*difficult)), ROWS // 20),
        ("`foster_1992`, square", seconds(lambda: foster_1992(*part, "square")), ROWS // 10),
        ("`chan_1997`", seconds(lambda: chan_1997(*part)), ROWS // 10),
        ("`alfano_2005`", seconds(lambda: alfano_2005(*part)), ROWS // 10),
        ("`alfano_2005_maximum`", seconds(lambda: alfano_2005_maximum(*part)), ROWS // 10),
        ("`assess`: states to all methods, maximum, flags", bulk(ROWS // 50, rng), ROWS // 50),
        ("scipy `quad` of error functions, relative 1e-8", single, PEER_ROWS),
        ("scipy `dblquad`, relative 1e-8", double, PEER_ROWS),
    ]
    each = circle[1] / ROWS
    lines = [
        "## Probability of collision",
        "",
        "Per million encounters (larger sigma 50 m to 5 km, aspect ratio 1 to 100, miss to 5 sigmas, radius 1 to 30 m) "
        f"by {min(2, os.cpu_count() or 1)} threads unless said otherwise; {ROWS:,} for the circle, fewer for others; "
        "best of 3. Ratio: processor time over that of the first line.",
        "",
        "| what | wall, s | processor, s | ratio |",
        "|---|---|---|---|",
    ]
    for name, (wall, cpu), rows in measured:
        lines.append(f"| {name} | {wall / rows * 1e6:.3g} | {cpu / rows * 1e6:.3g} | {cpu / rows / each:,.2g} |")
    lines += [
        "",
        "Relative error of the circle against a brute-force integral along the other axis, wherever Pc > 1e-290 (hard: "
        "larger sigma 1e-3 to 1e4 radii, aspect ratio to 1e4, a third of the means near the rim, a third up to 30 "
        "sigmas off):",
        "",
        "| cases | compared | largest error | 99 % below | reference's own doubt |",
        "|---|---|---|---|---|",
    ]
    for name, chosen in (("everyday", everyday(CHECKED, rng)), ("hard", hard(CHECKED, rng))):
        worst, most, doubt, count = accuracy(chosen)
        lines.append(f"| {name} | {count:,} | {worst:.1e} | {most:.1e} | {doubt:.1e} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(run(Path(os.environ.get("ORBWATCH_DATA", "."))), file=sys.stdout)
