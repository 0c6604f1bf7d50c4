from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from orbwatch.catalog.cpf import parse_cpf, read_cpf
from orbwatch.errors import InputError
from orbwatch.time import parse_utc

TEXT = """\
H1 CPF 2 CNE 2018 6 13 6 164 1 jason3 
H2 1600201 4379 41240 2018 6 13 0 0 0 2018 6 18 0 0 0 240 1 1 0 0 0 1
H9
00 a comment
10 0 58282      0.000000  0       6566174.663       2703003.220      -3022783.901
20 0 1000.0 2000.0 -3000.0
10 0 58282    240.500000  0       5612763.227       3006882.108      -4359836.652
99
"""  # noqa: W291


def test_prediction() -> None:
    orbit = parse_cpf(TEXT)
    assert (orbit.target, orbit.norad_id, orbit.object_id, orbit.source) == ("jason3", 41240, "2016-002A", "CNE")
    assert (orbit.version, len(orbit), orbit.complete) == (2, 2, True)
    assert orbit.times_us.tolist() == [parse_utc("2018-06-13"), parse_utc("2018-06-13T00:04:00.5")]
    assert orbit.r_itrf_km[1] == pytest.approx([5612.763227, 3006.882108, -4359.836652], rel=1e-15)
    assert orbit.v_itrf_km_s is not None
    assert orbit.v_itrf_km_s[0].tolist() == [1.0, 2.0, -3.0]
    assert np.isnan(orbit.v_itrf_km_s[1]).all()
    assert orbit.direction.tolist() == [0, 0]


def test_version_1_without_velocities_and_cut_off() -> None:
    text = TEXT.replace("CPF 2", "CPF  1").replace("164 1 jason3", "6641 jason3").replace("20 0 1", "00 0 1")[:-3]
    orbit = parse_cpf(text)
    assert (orbit.version, orbit.target, orbit.complete) == (1, "jason3", False)
    assert orbit.v_itrf_km_s is None


def test_after_a_leap_second() -> None:
    """The flag says that the seconds still count as before the leap second at the end of 2016."""
    orbit = parse_cpf(TEXT.replace("58282      0.000000  0", "57754      1.000000  1"))
    assert orbit.times_us[0] == parse_utc("2017-01-01")


@pytest.mark.parametrize(("cospar", "name"), [("7603901", "1976-039A"), ("9007025", ""), ("x", ""), ("0", "")])
def test_designators(cospar: str, name: str) -> None:
    assert parse_cpf(TEXT.replace("1600201", cospar)).object_id == name


@pytest.mark.parametrize(
    ("text", "line", "field", "what"),
    [
        ("", None, None, "no H1 CPF record"),
        (TEXT.replace("H1 CPF", "H1 CRD"), None, None, "no H1 CPF record"),
        (TEXT.replace("CPF 2", "CPF X"), 1, "H1", "not a CPF version"),
        (TEXT.replace("240 1 1 0 0", "240 1 1 2 0"), 2, "frame", "not body-fixed"),
        (TEXT.replace("6566174.663", "6566174,663"), 5, "x", "not a number"),
        (TEXT.replace("6566174.663", "inf"), 5, "x", "not a number"),
        (TEXT.replace("240.500000", "86410.0"), 7, "second", "not a number in range"),
        (TEXT.replace(" -4359836.652", ""), 7, None, "too short"),
        (TEXT.replace("20 0 1000.0", "20 0"), 6, None, "too short"),
        (TEXT.partition("10 0")[0], None, None, "no positions"),
    ],
)
def test_errors_say_where(text: str, line: int | None, field: str | None, what: str) -> None:
    with pytest.raises(InputError, match=what) as caught:
        parse_cpf(text, "in.cpf")
    assert (caught.value.file, caught.value.line, caught.value.field) == ("in.cpf", line, field)


@pytest.mark.parametrize(
    ("name", "target", "norad_id", "epochs", "low_km", "high_km"),
    [
        ("orekit_jason3_cpf_180613_16401.cne.xz", "jason3", 41240, 1801, 7705.0, 7725.0),
        ("orekit_lageos1_cpf_180613_16401.hts.xz", "lageos1", 8820, 582, 12215.0, 12330.0),
    ],
)
def test_real_predictions(
    data: Path, name: str, target: str, norad_id: int, epochs: int, low_km: float, high_km: float
) -> None:
    orbit = read_cpf(data / "precise_orbits" / name)
    assert (orbit.target, orbit.norad_id, len(orbit), orbit.complete) == (target, norad_id, epochs, True)
    radius = np.linalg.norm(orbit.r_itrf_km, axis=1)
    assert low_km < radius.min()
    assert radius.max() < high_km
    assert (np.diff(orbit.times_us) == np.diff(orbit.times_us)[0]).all()
