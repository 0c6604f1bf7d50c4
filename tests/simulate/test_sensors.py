from __future__ import annotations

import numpy as np
import pytest

from orbwatch.frames import rtn_matrix
from orbwatch.settings_groups import DatasetSettings
from orbwatch.simulate.sensors import OPTICAL, RADAR, Sensor, observe, sense, sensor_of
from orbwatch.simulate.streams import SENSOR, stream

ROWS = 1440
ANGLE = np.arange(ROWS) * 0.06
CIRCLE = np.stack(
    [
        7000.0 * np.cos(ANGLE),
        7000.0 * np.sin(ANGLE),
        0.0 * ANGLE,
        -5.3 * np.sin(ANGLE),
        5.3 * np.cos(ANGLE),
        5.3 + 0.0 * ANGLE,
    ],
    axis=1,
)


def circles(n: int) -> np.ndarray:
    return np.broadcast_to(CIRCLE, (n, ROWS, 6)).copy()


def streams(n: int, seed: int = 1) -> list[np.random.Generator]:
    return [stream(seed, i, SENSOR) for i in range(n)]


@pytest.mark.parametrize("sensor", [RADAR, OPTICAL])
def test_noise_is_what_the_sensor_states(sensor: Sensor) -> None:
    assert np.mean(np.square(sensor.axis_factor_rtn)) == pytest.approx(1.0)
    sigma_km = np.linspace(0.01, 0.5, 60)
    noise = observe(circles(60), sigma_km, sensor, streams(60))
    assert noise.dtype == np.float32
    scaled = np.einsum("mij,nmj->nmi", rtn_matrix(CIRCLE[:, :3], CIRCLE[:, 3:]), noise / sigma_km[:, None, None])
    bias = np.nanmean(scaled, axis=1)
    assert np.nanstd(scaled - bias[:, None], axis=(0, 1)) == pytest.approx(np.array(sensor.axis_factor_rtn), rel=0.02)
    assert np.sqrt(np.mean(bias**2)) == pytest.approx(np.hypot(0.1, np.sqrt(1.0 / ROWS)), rel=0.15)
    assert np.sqrt(np.nanmean(scaled**2)) == pytest.approx(np.sqrt(1.01), rel=0.01)


def test_dropouts_and_gaps() -> None:
    def missing(**changes: object) -> np.ndarray:
        sensor = Sensor("radar", (1.0, 1.0, 1.0), **changes)  # type: ignore[arg-type]
        noise = observe(circles(300), np.ones(300), sensor, streams(300))
        assert (np.isnan(noise).all(axis=2) == np.isnan(noise).any(axis=2)).all()
        return np.asarray(np.isnan(noise[..., 0]))

    assert not missing(dropout=0.0, gap_per_h=0.0).any()
    assert missing(dropout=0.1, gap_per_h=0.0).mean() == pytest.approx(0.1, rel=0.05)
    gaps = missing(dropout=0.0)
    starts = np.count_nonzero(np.diff(gaps.astype(int), axis=1, prepend=0) == 1)
    assert starts / 300 == pytest.approx(4.0, rel=0.1)
    assert gaps.sum() / starts == pytest.approx(5.5, rel=0.1)


def test_an_objects_noise_is_its_own() -> None:
    sigma_km = np.array([0.1, 0.2, 0.3])
    both = observe(circles(3), sigma_km, [RADAR, OPTICAL, RADAR], streams(3))
    alone = observe(circles(1), sigma_km[2:], RADAR, streams(3)[2:])
    assert both[2].tobytes() == alone[0].tobytes()
    other = observe(circles(1), sigma_km[2:], RADAR, streams(3, seed=2)[2:])
    assert not np.array_equal(other, alone, equal_nan=True)


def test_default_sensors_of_a_dataset() -> None:
    settings = DatasetSettings(dropout=0.05)
    assert [sensor_of(code, settings).kind for code in range(4)] == ["radar", "optical", "optical", "radar"]
    assert sensor_of(0, settings).dropout == 0.05
    number, regime = np.arange(200), np.zeros(200, np.int8)
    sigma_km, noise = sense(settings, number, regime, circles(200))
    assert sigma_km.min() >= 0.01
    assert sigma_km.max() <= 0.5
    assert np.median(sigma_km) == pytest.approx(np.sqrt(0.01 * 0.5), rel=0.3)
    again_km, again = sense(settings, number[5:7], regime[5:7], circles(2))
    assert np.array_equal(again_km, sigma_km[5:7])
    assert again.tobytes() == noise[5:7].tobytes()
