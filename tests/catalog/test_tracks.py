"""Track files: what is read, what is put aside, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from orbwatch.catalog.oem import Oem, OemSegment, write_oem
from orbwatch.catalog.tracks import read_tracks
from orbwatch.errors import InputError
from orbwatch.frames import gcrf_to_itrf, gcrf_to_teme
from orbwatch.time import format_utc, us_to_jd

START_US = 1_735_689_600_000_000  # 2025-01-01T00:00:00
MINUTES = START_US + np.arange(6) * 60_000_000
R_GCRF_KM = np.array([[7000.0, 450.0 * k, 60.0 * k] for k in range(6)])


def _file(folder: Path, lines: list[str]) -> Path:
    path = folder / "track.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def _row(k: int, r_km: np.ndarray, *more: object) -> str:
    return ",".join([format_utc(int(MINUTES[k])), *(repr(float(x)) for x in r_km), *(str(item) for item in more)])


@pytest.mark.parametrize("frame", ["gcrf", "teme", "itrf"])
def test_frames_are_turned_to_gcrf(tmp_path: Path, frame: str) -> None:
    turn = {"gcrf": lambda r, *_: (r, r), "teme": gcrf_to_teme, "itrf": gcrf_to_itrf}[frame]
    given = turn(R_GCRF_KM, np.zeros_like(R_GCRF_KM), *us_to_jd(MINUTES))[0]
    path = _file(tmp_path, ["time_utc,x_km,y_km,z_km,sigma_m,frame"] + [_row(k, given[k], 50, frame) for k in range(6)])
    tracks = read_tracks(path)
    assert len(tracks) == 6
    assert np.abs(tracks.r_gcrf_km - R_GCRF_KM).max() < 1e-6
    assert np.all(tracks.sigma_km == 0.05)
    assert np.isnan(tracks.ballistic_m2_kg).all()


def test_objects_come_in_order_of_time_and_bad_rows_are_put_aside(tmp_path: Path) -> None:
    lines = [
        "object_id,time_utc,x_km,y_km,z_km,ballistic_m2_kg",
        "B,2025-01-01T00:01:00,7000,0,0,0.02",
        "A,2025-01-01T00:02:00,7000,0,0,",
        "A,2025-01-01T00:01:00,7000,0,0,",
        "A,2025-01-01T00:01:00,7001,0,0,",
        "A,2025-01-01T00:03:00,7e3,x,0,",
        "A,2025-13-01T00:03:00,7000,0,0,",
        "A,2025-01-01T00:04:00,10,0,0,",
        "A,2025-01-01T00:05:00,7000,0",
    ]
    tracks = read_tracks(_file(tmp_path, lines), sigma_m=20.0, frame="gcrf")
    assert tracks.object_id.tolist() == ["A", "A", "B"]
    assert np.diff(tracks.time_us)[0] == 60_000_000
    assert tracks.ballistic_m2_kg[2] == 0.02
    reasons = " | ".join(str(item) for item in tracks.rejected)
    assert len(tracks.rejected) == 5
    for part in (
        "line 6",
        "y_km",
        "time_utc",
        "no orbit is there",
        "the row has 4 cells",
        "same time, 2025-01-01T00:01",
    ):
        assert part in reasons, part
    for item in tracks.rejected:
        assert str(item).count("track.csv") == 1
        assert str(item).count("line ") == (item.line is not None)


@pytest.mark.parametrize(
    ("lines", "options", "says"),
    [
        (["time_utc,x_km,y_km"], {}, "z_km"),
        (["time_utc,x_km,y_km,z_km", "2025-01-01T00:00:00,7000,0,0"], {"frame": "gcrf"}, "--sigma-m"),
        (["time_utc,x_km,y_km,z_km", "2025-01-01T00:00:00,7000,0,0"], {"sigma_m": 5.0}, "--frame"),
        (["time_utc,x_km,y_km,z_km"], {}, "holds no rows"),
        (["time_utc,x_km,y_km,z_km", "2025,7e3,0,0"], {"sigma_m": 5.0}, "First reason: line 2: "),
    ],
    ids=["column", "sigma", "frame", "empty", "time"],
)
def test_what_is_refused_says_what_to_do(
    tmp_path: Path, lines: list[str], options: dict[str, object], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        read_tracks(_file(tmp_path, lines), **options)


def test_an_ephemeris_message_is_a_track(tmp_path: Path) -> None:
    segment = OemSegment("SAT", "2025-001A", "GCRF", MINUTES, R_GCRF_KM, np.ones_like(R_GCRF_KM))
    path = tmp_path / "track.oem"
    path.write_text(write_oem(Oem((segment,), START_US, "TEST")))
    tracks = read_tracks(path, sigma_m=5.0)
    assert np.abs(tracks.r_gcrf_km - R_GCRF_KM).max() < 1e-6
    with pytest.raises(InputError, match="--sigma-m"):
        read_tracks(path)
    r_km = np.concatenate([R_GCRF_KM[:5], [[6000.0, 0.0, 0.0]]])
    path.write_text(
        write_oem(Oem((OemSegment("SAT", "2025-001A", "GCRF", MINUTES, r_km, np.ones_like(r_km)),), 0, "T"))
    )
    aside = str(read_tracks(path, sigma_m=5.0).rejected[0])
    assert aside.startswith(f"{path}: 2025-001A at 2025-01-01T00:05:00.000000: no orbit is there")
    assert aside.count("track.oem") == 1
