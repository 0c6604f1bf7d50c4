"""Compiled integrals of a 2-D Gaussian over a disk, a square, and Alfano's Simpson sum. Called by `probability`.

Everything is scaled by the largest value of the integrand, so that probabilities keep their relative accuracy down to
the smallest normal double. Lengths are in any one unit.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

CIRCLE, SQUARE = 0, 1

_ROOT_HALF = math.sqrt(0.5)
_ROOT_2_OVER_PI = math.sqrt(2.0 / math.pi)
_ROOT_2PI = math.sqrt(2.0 * math.pi)
_DROP = 30.0  # the integrand is followed down to exp(-30) = 1e-13 of its peak
_RELATIVE_ERROR = 1e-10  # asked of the adaptive rule; what is reached is measured in benchmarks/probability_speed.py
_MAX_PANELS = 400

# Gauss-Chebyshev rules of the second kind: the integral of sqrt(1 - u^2) g(u) over [-1, 1].
_ORDERS = np.array([6, 10, 16, 24, 40])
_U = np.zeros((len(_ORDERS), 40))
_W = np.zeros((len(_ORDERS), 40))
for _row, _n in enumerate(_ORDERS):
    _angle = np.arange(1, _n + 1) * math.pi / (_n + 1)
    _U[_row, :_n] = np.cos(_angle)
    _W[_row, :_n] = np.sin(_angle) ** 2 * math.pi / (_n + 1)

_TERMS = 12
_INVERSE = 1.0 / np.arange(1.0, 2 * _TERMS + 2)  # 1/1, 1/2, ...

# Gauss-Kronrod 10-21 (Piessens et al., QUADPACK, 1983): abscissae, Kronrod weights, Gauss weights of the odd ones.
_GK_X = np.array(
    [
        0.995657163025808080735527280689003,
        0.973906528517171720077964012084452,
        0.930157491355708226001207180059508,
        0.865063366688984510732096688423493,
        0.780817726586416897063717578345042,
        0.679409568299024406234327365114874,
        0.562757134668604683339000099272694,
        0.433395394129247190799265943165784,
        0.294392862701460198131126603103866,
        0.148874338981631210884826001129720,
        0.0,
    ]
)
_GK_W = np.array(
    [
        0.011694638867371874278064396062192,
        0.032558162307964727478818972459390,
        0.054755896574351996031381300244580,
        0.075039674810919952767043140916190,
        0.093125454583697605535065465083366,
        0.109387158802297641899210590325805,
        0.123491976262065851077958109585166,
        0.134709217311473325928054001771707,
        0.142775938577060080797094273138717,
        0.147739104901338491374841515972068,
        0.149445554002916905664936468389821,
    ]
)
_G_W = np.array(
    [
        0.066671344308688137593568809893332,
        0.149451349150580593145863396957697,
        0.219086362515982043995534934228163,
        0.269266719309996355091226921569469,
        0.295524224714752870173815619188769,
    ]
)


@njit(cache=True, nogil=True, error_model="numpy")
def _cross_difference(a: float, b: float, c: float, d: float) -> float:
    """a b - c d to nearly full precision (Dekker 1971, two-product by splitting): no cancellation in a determinant."""
    ab, cd = a * b, c * d
    split = 134217729.0
    a1 = split * a
    a1 = a1 - (a1 - a)
    a2 = a - a1
    b1 = split * b
    b1 = b1 - (b1 - b)
    b2 = b - b1
    c1 = split * c
    c1 = c1 - (c1 - c)
    c2 = c - c1
    d1 = split * d
    d1 = d1 - (d1 - d)
    d2 = d - d1
    low_ab = a2 * b2 - (((ab - a1 * b1) - a2 * b1) - a1 * b2)
    low_cd = c2 * d2 - (((cd - c1 * d1) - c2 * d1) - c1 * d2)
    return (ab - cd) + (low_ab - low_cd)


@njit(cache=True, nogil=True, error_model="numpy")
def principal(x: float, y: float, cxx: float, cxy: float, cyy: float) -> tuple[float, float, float, float]:
    """Miss and variances along the principal axes, the larger variance first: x, y, var_x, var_y."""
    half_difference = 0.5 * (cxx - cyy)
    radius = math.hypot(half_difference, cxy)
    large = 0.5 * (cxx + cyy) + radius
    if radius <= 1e-17 * abs(large):  # round: any axes will do, and a tiny covariance could not give any
        return x, y, large, large
    small = _cross_difference(cxx, cyy, cxy, cxy) / large if large > 0.0 else 0.5 * (cxx + cyy) - radius
    if half_difference >= 0.0:
        ex, ey = radius + half_difference, cxy
    else:
        ex, ey = cxy, radius - half_difference
    norm = math.hypot(ex, ey)
    ex, ey = ex / norm, ey / norm
    return ex * x + ey * y, ex * y - ey * x, large, small


@njit(cache=True, nogil=True, error_model="numpy")
def _erfcx(x: float) -> float:
    """exp(x^2) erfc(x), x >= 0: asymptotic series (Abramowitz & Stegun 7.1.23) where erfc would underflow."""
    if x < 20.0:
        return math.exp(x * x) * math.erfc(x)
    v = 0.5 / (x * x)
    return (1.0 - v * (1.0 - 3.0 * v * (1.0 - 5.0 * v * (1.0 - 7.0 * v)))) / (x * math.sqrt(math.pi))


@njit(cache=True, nogil=True, error_model="numpy")
def _hermite_sum(at: float, t2: float) -> float:
    """Sum of He_2k(a) t^2k / (2k+1)!, k < 12: the mean of exp(-(z^2 - a^2)/2) over z in [a - t, a + t].

    Relative error under 2e-13 for t <= 1, a t <= 3.
    """
    total, before, now = 1.0, 1.0, at  # He_n(a) t^n / n!
    for n in range(1, 2 * _TERMS - 2, 2):
        before, now = now, (at * now - t2 * before) * _INVERSE[n]
        total += now * _INVERSE[n + 1]
        before, now = now, (at * now - t2 * before) * _INVERSE[n + 1]
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _strip(c: float, h: float) -> tuple[float, float]:
    """Standard normal mass of [c - h, c + h], c >= 0, as (mass * exp(m^2 / 2), m), m >= 0 the strip's nearest point."""
    m = max(0.0, c - h)
    if h <= 1.0 and c * h <= 3.0:
        return _ROOT_2_OVER_PI * math.exp(-0.5 * (c - m) * (c + m)) * h * _hermite_sum(c * h, h * h), m
    if c <= h:
        return 0.5 * (math.erf((c + h) * _ROOT_HALF) + math.erf((h - c) * _ROOT_HALF)), m
    return 0.5 * (_erfcx(m * _ROOT_HALF) - math.exp(-2.0 * c * h) * _erfcx((c + h) * _ROOT_HALF)), m


@njit(cache=True, nogil=True, error_model="numpy")
def _slope(shape: int, q: float, mean: float, sigma: float, c0: float, gradient: float, s: float, r: float) -> float:
    """Sign-carrying derivative of the exponent (minus the logarithm of the integrand's leading factor) along q.

    Circle: q is an angle, the point on the integration axis r sin q, the strip's half-width r cos q, its centre c0.
    Square: q is the point, the half-width r, the centre c0 + gradient (q - mean).
    """
    if shape == CIRCLE:
        p, h = r * math.sin(q), r * math.cos(q)
        m = max(0.0, c0 - h) / s
        return (p - mean) / (sigma * sigma) * h + m * p / s
    c = c0 + gradient * (q - mean)
    m = max(0.0, abs(c) - r) / s
    return (q - mean) / (sigma * sigma) + math.copysign(m, c) * gradient / s


@njit(cache=True, nogil=True, error_model="numpy")
def _exponent(shape: int, q: float, mean: float, sigma: float, c0: float, gradient: float, s: float, r: float) -> float:
    """The convex exponent itself: half the squared distance in sigmas of q from the mean, and of the strip from 0."""
    if shape == CIRCLE:
        z = (r * math.sin(q) - mean) / sigma
        m = max(0.0, c0 - r * math.cos(q)) / s
    else:
        z = (q - mean) / sigma
        m = max(0.0, abs(c0 + gradient * (q - mean)) - r) / s
    return 0.5 * (z * z + m * m)


@njit(cache=True, nogil=True, error_model="numpy")
def _integrand(
    shape: int, q: float, mean: float, sigma: float, c0: float, gradient: float, s: float, r: float, lowest: float
) -> float:
    """The Gaussian along q times the mass of the strip across it, scaled by exp(lowest)."""
    if shape == CIRCLE:
        half, weight = r * math.cos(q), r * math.cos(q)
        z = (r * math.sin(q) - mean) / sigma
        c = c0
    else:
        half, weight = r, 1.0
        z = (q - mean) / sigma
        c = abs(c0 + gradient * (q - mean))
    mass, m = _strip(c / s, half / s)
    return weight * mass * math.exp(lowest - 0.5 * (z * z + m * m))


@njit(cache=True, nogil=True, error_model="numpy")
def _panel(
    shape: int,
    low: float,
    high: float,
    mean: float,
    sigma: float,
    c0: float,
    gradient: float,
    s: float,
    r: float,
    lowest: float,
) -> tuple[float, float]:
    """Gauss-Kronrod 10-21 on one panel: value and QUADPACK's error estimate, the spread taken from the values' size."""
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    kronrod, gauss = 0.0, 0.0
    for i in range(11):
        f = _integrand(shape, middle - half * _GK_X[i], mean, sigma, c0, gradient, s, r, lowest)
        if i < 10:
            f += _integrand(shape, middle + half * _GK_X[i], mean, sigma, c0, gradient, s, r, lowest)
        kronrod += _GK_W[i] * f
        if i % 2 == 1:
            gauss += _G_W[i // 2] * f
    error = abs(kronrod - gauss)
    if error > 0.0:
        error = kronrod * min(1.0, (200.0 * error / kronrod) ** 1.5)
    return kronrod * half, error * half


@njit(cache=True, nogil=True, error_model="numpy")
def _adaptive(shape: int, mean: float, sigma: float, c0: float, gradient: float, s: float, r: float) -> float:
    """The integral along q: find the peak and where the integrand has died away (its exponent is convex, because a
    Gaussian and a convex set are log-concave), then bisect panels until the estimated error is small enough."""
    edge = 0.5 * math.pi if shape == CIRCLE else r
    if shape == CIRCLE and mean * mean + c0 * c0 <= r * r:
        peak = math.asin(mean / r)
    elif shape == SQUARE and abs(mean) <= r and abs(c0) <= r:
        peak = mean
    else:
        low, high = -edge, edge
        for _ in range(50):
            peak = 0.5 * (low + high)
            if _slope(shape, peak, mean, sigma, c0, gradient, s, r) > 0.0:
                high = peak
            else:
                low = peak
    lowest = _exponent(shape, peak, mean, sigma, c0, gradient, s, r)
    ends = np.empty(2)
    for side in range(2):
        inside, outside = peak, edge if side else -edge
        if _exponent(shape, outside, mean, sigma, c0, gradient, s, r) > lowest + _DROP:
            for _ in range(60):
                centre = 0.5 * (inside + outside)
                excess = _exponent(shape, centre, mean, sigma, c0, gradient, s, r) - lowest - _DROP
                if excess > 0.0:
                    outside = centre
                else:
                    inside = centre
                if 0.0 < excess < 0.1 * _DROP:
                    break
        ends[side] = outside
    left, right = np.empty(_MAX_PANELS), np.empty(_MAX_PANELS)
    left[0], right[0], panels = ends[0], ends[1], 1
    if ends[0] > -edge or ends[1] < edge:
        # Eight sigmas to a side of the peak take two panels, as a first guess.
        panels = 0
        for side in range(2):
            pieces = 2 if abs(ends[side]) < edge else 1
            for piece in range(pieces):
                width = (ends[side] - peak) / pieces
                a, b = peak + piece * width, peak + (piece + 1) * width
                if a != b:
                    left[panels], right[panels] = min(a, b), max(a, b)
                    panels += 1
    waiting = panels
    total, largest = 0.0, 0.0
    while waiting > 0:
        waiting -= 1
        a, b = left[waiting], right[waiting]
        value, error = _panel(shape, a, b, mean, sigma, c0, gradient, s, r, lowest)
        largest = max(largest, value)
        if error <= _RELATIVE_ERROR * max(largest, total) or panels >= _MAX_PANELS or b - a < 1e-15 * edge:
            total += value
        else:
            panels += 1
            left[waiting], right[waiting] = a, 0.5 * (a + b)
            left[waiting + 1], right[waiting + 1] = 0.5 * (a + b), b
            waiting += 2
    return total / (_ROOT_2PI * sigma) * math.exp(-lowest)


@njit(cache=True, nogil=True, error_model="numpy")
def disk(x: float, y: float, sx: float, sy: float, r: float) -> float:
    """Mass of a Gaussian centred at (x, y), sigmas sx >= sy along the axes, over the disk of radius r at the origin."""
    x, y = abs(x), abs(y)
    a, t = x / sx, r / sx
    rho, beta = r / sy, y * r / (sy * sy)
    if t > 1.0 or a * t > 3.0 or rho > 10.0 or beta > 100.0:
        return _adaptive(CIRCLE, y, sy, x, 0.0, sx, r)
    # The strip's mass is a polynomial in its half-width here, and the Gaussian across it is smooth on the disk's scale.
    need = 4.0 + 3.7 * max(rho, math.sqrt(beta))  # found by trial, for a relative error of 1e-11
    row = 0
    while row < len(_ORDERS) - 1 and _ORDERS[row] < need:
        row += 1
    coefficient = np.empty(_TERMS)
    before, now = 1.0, a * t
    coefficient[0] = 1.0
    for k in range(1, _TERMS):
        before, now = now, (a * t * now - t * t * before) * _INVERSE[2 * k - 1]
        coefficient[k] = now * _INVERSE[2 * k]
        before, now = now, (a * t * now - t * t * before) * _INVERSE[2 * k]
    nearest = max(0.0, y - r) / sy
    lowest = 0.5 * nearest * nearest
    total = 0.0
    for i in range(_ORDERS[row]):
        u = _U[row, i]
        z = (r * u - y) / sy
        h2 = 1.0 - u * u
        p = coefficient[_TERMS - 1]
        for k in range(_TERMS - 2, -1, -1):
            p = p * h2 + coefficient[k]
        total += _W[row, i] * p * math.exp(lowest - 0.5 * z * z)
    return t * rho / math.pi * total * math.exp(-0.5 * a * a - lowest)


@njit(cache=True, nogil=True, error_model="numpy")
def square(x: float, y: float, cxx: float, cxy: float, cyy: float, r: float) -> float:
    """Mass of a Gaussian centred at (x, y) with a full covariance over the square of half-width r at the origin."""
    if cxx > cyy:
        x, y, cxx, cyy = y, x, cyy, cxx
    s = math.sqrt(_cross_difference(cxx, cyy, cxy, cxy) / cxx)
    return _adaptive(SQUARE, x, math.sqrt(cxx), y, cxy / cxx, s, r)


@njit(cache=True, nogil=True, error_model="numpy")
def fill(shape: int, miss: np.ndarray, cov: np.ndarray, hbr: np.ndarray, out: np.ndarray) -> None:
    """Probability of every row into `out`: NaN for a covariance that is not positive definite or a negative radius."""
    for i in range(len(out)):
        r = hbr[i]
        cxx, cxy, cyy = cov[i, 0, 0], 0.5 * (cov[i, 0, 1] + cov[i, 1, 0]), cov[i, 1, 1]
        x, y, large, small = principal(miss[i, 0], miss[i, 1], cxx, cxy, cyy)
        if not (small > 0.0 and r >= 0.0 and large < math.inf and abs(x) + abs(y) < math.inf):
            out[i] = math.nan
        elif r == 0.0:
            out[i] = 0.0
        elif r == math.inf:
            out[i] = 1.0
        elif shape == CIRCLE:
            out[i] = min(1.0, disk(x, y, math.sqrt(large), math.sqrt(small), r))
        else:
            out[i] = min(1.0, square(miss[i, 0], miss[i, 1], cxx, cxy, cyy, r))


@njit(cache=True, nogil=True, error_model="numpy")
def _chan(u: float, v: float) -> float:
    """Chan's series of Poisson weights (v/2) times upper Poisson tails (u/2), all terms positive, u > 0."""
    if u <= 0.01 or v <= 1.0:
        terms = 3
    elif u <= 1.0 or v <= 9.0:
        terms = 10
    elif u <= 25.0 or v <= 25.0:
        terms = 20
    else:
        terms = 60
    u, v = 0.5 * u, 0.5 * v
    tail = 1.0
    if u < 600.0:  # beyond, every tail of at most 60 terms is 1
        term = math.exp(terms * math.log(u) - u - math.lgamma(terms + 1.0))
        tail, k = term, terms
        while k < u or term > 1e-17 * tail:
            k += 1
            term *= u / k
            tail += term
    total = 0.0
    for m in range(terms - 1, -1, -1):
        log_v = m * math.log(v) if m > 0 and v > 0.0 else 0.0
        if m == 0 or v > 0.0:
            total += math.exp(log_v - v - math.lgamma(m + 1.0)) * tail
        if m > 0 and u < 600.0:
            tail += math.exp(m * math.log(u) - u - math.lgamma(m + 1.0))
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def fill_chan(miss: np.ndarray, cov: np.ndarray, hbr: np.ndarray, out: np.ndarray) -> None:
    """Chan's probability of every row into `out`."""
    for i in range(len(out)):
        r = hbr[i]
        cxy = 0.5 * (cov[i, 0, 1] + cov[i, 1, 0])
        x, y, large, small = principal(miss[i, 0], miss[i, 1], cov[i, 0, 0], cxy, cov[i, 1, 1])
        if not (small > 0.0 and r >= 0.0 and large < math.inf):
            out[i] = math.nan
        elif r == 0.0:
            out[i] = 0.0
        else:
            out[i] = min(1.0, _chan(r * r / math.sqrt(large * small), x * x / large + y * y / small))


@njit(cache=True, nogil=True, error_model="numpy")
def _simpson_term(x: float, xm: float, ym: float, sx: float, sy: float, r: float) -> float:
    mass, m = _strip(abs(ym) / sy, math.sqrt(r * r - x * x) / sy)
    near, far = (x - xm) / sx, (x + xm) / sx
    # Twice the mass is the difference of error functions in the paper, here without its cancellation.
    return 2.0 * mass * (math.exp(-0.5 * (near * near + m * m)) + math.exp(-0.5 * (far * far + m * m)))


@njit(cache=True, nogil=True, error_model="numpy")
def fill_alfano(miss: np.ndarray, cov: np.ndarray, hbr: np.ndarray, out: np.ndarray) -> None:
    """Alfano's Simpson sum of every row into `out`, x along the smaller sigma."""
    for i in range(len(out)):
        r = hbr[i]
        cxy = 0.5 * (cov[i, 0, 1] + cov[i, 1, 0])
        ym, xm, large, small = principal(miss[i, 0], miss[i, 1], cov[i, 0, 0], cxy, cov[i, 1, 1])
        if not (small > 0.0 and r >= 0.0):
            out[i] = math.nan
            continue
        if r == 0.0:
            out[i] = 0.0
            continue
        sx, sy = math.sqrt(small), math.sqrt(large)
        distance = math.hypot(xm, ym)
        least = min(sx, distance) if distance > 0.0 else sx
        half_steps = int(min(1e5, max(10.0, 5.0 * r / least)))
        step = r / (2 * half_steps)
        total = 2.0 * _simpson_term(0.015 * step - r, xm, ym, sx, sy, r) + _simpson_term(0.0, xm, ym, sx, sy, r)
        for k in range(1, half_steps):
            total += 2.0 * _simpson_term(2 * k * step - r, xm, ym, sx, sy, r)
        for k in range(1, half_steps + 1):
            total += 4.0 * _simpson_term((2 * k - 1) * step - r, xm, ym, sx, sy, r)
        out[i] = min(1.0, step / (3.0 * sx * math.sqrt(8.0 * math.pi)) * total)
