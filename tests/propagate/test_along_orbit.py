"""Numbers that go with time and with the revolution: found again from samples, and held beyond them."""

from __future__ import annotations

import numpy as np
import pytest
from jaxtyping import Float

from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.propagate.along_orbit import AlongOrbit, sample_days
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.simulate.population import EPOCH_US, population

SKY = Sgp4Catalog.from_gp(population(1, 200)[::25])


def states(day: Float[np.ndarray, " m"]) -> Float[np.ndarray, "n m 6"]:
    found = SKY.states(EPOCH_US + np.rint(day * DAY_US).astype(np.int64))
    return np.concatenate([found.r_teme_km, found.v_teme_km_s], axis=2)


def latitude(rv: Float[np.ndarray, "n m 6"]) -> Float[np.ndarray, "n m"]:
    """Argument of latitude, from the node and the plane."""
    pole = np.cross(rv[..., :3], rv[..., 3:])
    node = np.stack([-pole[..., 1], pole[..., 0], np.zeros_like(pole[..., 0])], axis=-1)
    aside = np.cross(pole, node)
    unit = [x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (node, aside)]
    return np.arctan2(*(np.einsum("nmi,nmi->nm", rv[..., :3], x) for x in unit[::-1]))


def wave(day: Float[np.ndarray, " m"]) -> Float[np.ndarray, "n m 2"]:
    """A trend with a wave, and a broken line whose corners are at the knots."""
    u = latitude(states(day))
    first = 3.0 + 2.0 * day - (0.5 + 0.2 * day) * np.cos(u) + 0.1 * np.sin(u)
    return np.stack([first, np.broadcast_to(np.abs(day - 0.5), u.shape)], axis=-1)


@pytest.mark.parametrize("span_day", [1.0, 7.5])
def test_samples_lie_inside_in_order_at_all_phases(span_day: float) -> None:
    day = sample_days(span_day)
    assert (np.diff(day) > 0.0).all()
    assert day[0] > 0.0
    assert day[-1] < span_day
    for revolutions_day in (15.5, 14.2, 12.6, 2.0):
        places, _ = np.histogram(np.mod(day * revolutions_day, 1.0), bins=4, range=(0.0, 1.0))
        assert places.min() >= len(day) // 10


def test_what_it_can_follow_is_found_again_between_the_samples() -> None:
    day = sample_days(1.5)
    made = AlongOrbit.fit(EPOCH_US, 1.5, day, states(day), wave(day))
    at = np.linspace(0.05, 1.45, 40)
    index = np.repeat(np.arange(len(SKY)), len(at))
    at_us = EPOCH_US + np.rint(np.tile(at, len(SKY)) * DAY_US).astype(np.int64)
    found = made.at(index, at_us, states(at).reshape(-1, 6)).reshape(len(SKY), len(at), 2)
    left = np.abs(found - wave(at))
    assert np.median(left) < 0.003
    assert left.max() < 0.1  # a wave of a day's period and a trend cannot be told apart for sure


def test_numbers_are_held_beyond_the_span_and_objects_can_be_taken() -> None:
    day = sample_days(1.0)
    values = np.broadcast_to((2.0 + day)[:, None], (len(SKY), len(day), 1))
    made = AlongOrbit.fit(EPOCH_US, 1.0, day, states(day), values)
    some = made.take(np.array([3, 1]))
    again = AlongOrbit.concat([some, made])
    at_us = np.array([EPOCH_US - DAY_US, EPOCH_US + 3 * DAY_US])
    rv = states(np.array([0.3, 0.3]))[3]
    held = again.at(np.array([0, 0]), at_us, rv)[:, 0]
    np.testing.assert_allclose(held, [2.0, 3.0], atol=0.05)
    np.testing.assert_array_equal(held, made.at(np.array([3, 3]), at_us, rv)[:, 0])


def test_too_few_samples_are_refused() -> None:
    day = sample_days(1.0)[:5]
    with pytest.raises(InputError, match="too few samples"):
        AlongOrbit.fit(EPOCH_US, 1.0, day, states(day), wave(day))
