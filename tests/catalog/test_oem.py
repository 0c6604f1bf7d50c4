from __future__ import annotations

import dataclasses
import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orbwatch.catalog.oem import Oem, OemCovariance, OemSegment, parse_oem, read_oem, write_oem
from orbwatch.constants import WGS84_MU_KM3_S2
from orbwatch.errors import InputError
from orbwatch.time import parse_utc, us_to_jd, utc_to_ut1

# After the OEM example with covariances of CCSDS 502.0-B (annex, Mars Global Surveyor), shortened.
EXAMPLE = """\
CCSDS_OEM_VERS = 2.0
COMMENT an example
CREATION_DATE = 1996-11-04T17:22:31
ORIGINATOR = NASA/JPL

META_START
COMMENT of the standard
OBJECT_NAME = MARS GLOBAL SURVEYOR
OBJECT_ID = 1996-062A
CENTER_NAME = MARS BARYCENTER
REF_FRAME = EME2000
TIME_SYSTEM = UTC
START_TIME = 1996-12-18T12:00:00.331
USEABLE_START_TIME = 1996-12-18T12:00:30.331
USEABLE_STOP_TIME = 1996-12-18T12:02:00.331
STOP_TIME = 1996-12-18T12:02:00.331
INTERPOLATION = HERMITE
INTERPOLATION_DEGREE = 7
META_STOP
COMMENT This file was produced by M.R. Somebody
1996-12-18T12:00:00.331 2789.619 -280.045 -1746.755 4.73372 -2.49586 -1.04195
1996-12-18T12:01:00.331 2783.419 -308.143 -1877.071 5.18604 -2.42124 -1.99608
1996-12-18T12:02:00.331 2776.033 -336.859 -2008.682 5.63678 -2.33951 -1.94687
COVARIANCE_START
EPOCH = 1996-12-18T12:01:00.331
COV_REF_FRAME = RTN
3.3313494e-04
4.6189273e-04 6.7824216e-04
-3.0700078e-04 -4.2212341e-04 3.2319319e-04
-3.3493650e-07 -4.6860842e-07 2.4849495e-07 4.2960228e-10
-2.2118325e-07 -2.8641868e-07 1.7980986e-07 2.6088992e-10 1.7675147e-10
-3.0413460e-07 -4.9894969e-07 3.5403109e-07 1.8692631e-10 1.0088625e-10 6.2244443e-10
EPOCH = 1996-12-18T12:02:00.331
3.4424505e-04
4.5078162e-04 6.8935327e-04
-3.0600067e-04 -4.1101230e-04 3.3420420e-04
-3.2382549e-07 -4.5750731e-07 2.3738384e-07 4.3071339e-10
-2.1007214e-07 -2.7530757e-07 1.6870875e-07 2.5077881e-10 1.8786258e-10
-3.0302350e-07 -4.8783858e-07 3.4302008e-07 1.7581520e-10 1.0077514e-10 6.2244443e-10
COVARIANCE_STOP
"""

reals = st.floats(allow_nan=False, allow_infinity=False)
words = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8)
names = st.lists(words, min_size=1, max_size=3).map(" ".join).filter(lambda text: text.upper() not in ("NA", "NONE"))
comments = st.lists(names, max_size=2).map(tuple)


def arrays(rows: int, columns: int) -> st.SearchStrategy[np.ndarray]:
    numbers = st.lists(reals, min_size=rows * columns, max_size=rows * columns)
    return numbers.map(lambda values: np.array(values).reshape(rows, columns))


@st.composite
def segment_values(draw: st.DrawFn) -> dict[str, Any]:
    steps = draw(st.lists(st.integers(1, 10**10), min_size=1, max_size=4))
    times = np.cumsum([draw(st.integers(0, 2 * 10**15)), *steps[1:]])
    half = np.tril(draw(arrays(6, 6)))
    covariance = {
        "epoch_us": int(times[0]),
        "cov_km2": half + np.tril(half, -1).T,
        "ref_frame": draw(st.just("") | words),
    }
    method = draw(st.sampled_from(["", "HERMITE", "LAGRANGE"]))
    return {
        "object_name": draw(names),
        "object_id": draw(names),
        "ref_frame": draw(names),
        "times_us": times,
        "r_km": draw(arrays(len(times), 3)),
        "v_km_s": draw(arrays(len(times), 3)),
        "a_km_s2": draw(st.none() | arrays(len(times), 3)),
        "center_name": draw(names),
        "start_us": int(times[0]) - 5,
        "stop_us": int(times[-1]),
        "useable_start_us": draw(st.none() | st.just(int(times[0]))),
        "interpolation": method,
        "interpolation_degree": draw(st.integers(1, 30)) if method else None,
        "ref_frame_epoch_us": draw(st.none() | st.integers(0, 10**15)),
        "covariances": (covariance,) if draw(st.booleans()) else (),
        "comments": draw(comments),
        "data_comments": draw(comments),
    }


def same(one: object, two: object) -> None:
    assert dataclasses.is_dataclass(one)
    for field in dataclasses.fields(one):
        x, y = getattr(one, field.name), getattr(two, field.name)
        if isinstance(x, np.ndarray):
            assert np.array_equal(x, y), field.name
        elif isinstance(x, tuple) and x and dataclasses.is_dataclass(x[0]):
            assert len(x) == len(y)
            for a, b in zip(x, y, strict=True):
                same(a, b)
        else:
            assert x == y, field.name


@settings(max_examples=25, deadline=None)
@given(st.lists(segment_values(), min_size=1, max_size=2), names, comments, st.sampled_from(["kvn", "xml"]))
def test_write_then_read_is_the_identity(
    parts: list[dict[str, Any]], originator: str, texts: tuple[str, ...], format_: str
) -> None:
    segments = [
        OemSegment(**{**part, "covariances": tuple(OemCovariance(**c) for c in part["covariances"])}) for part in parts
    ]
    oem = Oem(
        tuple(segments), creation_us=10**15, originator=originator, version="3.0", message_id="A 1", comments=texts
    )
    same(oem, parse_oem(write_oem(oem, format_), None))


def test_example_of_the_standard(tmp_path: Path) -> None:
    path = tmp_path / "mgs.oem"
    path.write_text(EXAMPLE)
    oem = read_oem(path)
    (part,) = oem.segments
    assert (oem.version, oem.originator, oem.comments) == ("2.0", "NASA/JPL", ("an example",))
    assert (part.object_id, part.center_name, part.ref_frame) == ("1996-062A", "MARS BARYCENTER", "EME2000")
    assert (part.comments, part.data_comments) == (("of the standard",), ("This file was produced by M.R. Somebody",))
    assert len(part) == 3
    assert part.times_us[0] == parse_utc("1996-12-18T12:00:00.331")
    assert part.r_km[2].tolist() == [2776.033, -336.859, -2008.682]
    assert part.v_km_s[0].tolist() == [4.73372, -2.49586, -1.04195]
    one, two = part.covariances
    assert (one.ref_frame, two.ref_frame) == ("RTN", "")
    assert one.cov_km2[5, 1] == one.cov_km2[1, 5] == -4.9894969e-07
    assert part.span_us == (parse_utc("1996-12-18T12:00:30.331"), part.times_us[-1])


@pytest.mark.parametrize(("system", "offset_us"), [("TAI", 30_000_000), ("TT", 62_184_000), ("GPS", 11_000_000)])
def test_time_systems_come_as_utc(system: str, offset_us: int) -> None:
    """TAI - UTC was 30 s in December 1996 (IERS Bulletin C)."""
    utc = parse_oem(EXAMPLE, None).segments[0]
    part = parse_oem(EXAMPLE.replace("= UTC", f"= {system}"), None).segments[0]
    assert part.time_system == system
    assert (utc.times_us - part.times_us).tolist() == [offset_us] * 3
    assert utc.start_us is not None
    assert part.start_us == utc.start_us - offset_us
    assert part.covariances[0].epoch_us == utc.covariances[0].epoch_us - offset_us


def test_ut1_comes_as_utc() -> None:
    part = parse_oem(EXAMPLE.replace("= UTC", "= UT1"), None).segments[0]
    jd, fr = utc_to_ut1(*us_to_jd(part.times_us))
    jd_1, fr_1 = us_to_jd(parse_oem(EXAMPLE, None).segments[0].times_us)
    assert np.abs((jd - jd_1) + (fr - fr_1)).max() * 86400e6 <= 1.0


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("CCSDS_OEM_VERS = 2.0", "", None, "no CCSDS_OEM_VERS"),
        ("2783.419", "2783,419", 22, "not a number"),
        ("2783.419", "nan", 22, "not a number"),
        ("2783.419", "1_0", 22, "not a number"),
        (" -1.99608", "", 22, "not a state"),
        ("1996-12-18T12:01:00.331 2", "1996-13-18T12:01:00.331 2", 22, "no such day"),
        ("1996-12-18T12:01:00.331 2", "1996-12-18T11:01:00.331 2", 22, "do not increase"),
        ("-1.94687", "-1.94687 0 0 0", 23, "accelerations"),
        ("= UTC", "= MET", 12, "unknown time system"),
        ("REF_FRAME = EME2000", "", 6, "REF_FRAME is missing"),
        ("DEGREE = 7", "DEGREE = 70", 18, "out of range"),
        ("3.3313494e-04", "", 25, "20 numbers"),
        ("COVARIANCE_START", "", 25, "unexpected line in the data"),
        ("META_STOP", "1 2 3", 19, "unexpected line in the metadata"),
    ],
)
def test_errors_say_where(old: str, new: str, line: int | None, what: str) -> None:
    assert old in EXAMPLE
    with pytest.raises(InputError, match=what) as caught:
        parse_oem(EXAMPLE.replace(old, new, 1), "in.oem")
    assert (caught.value.file, caught.value.line) == ("in.oem", line)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("CCSDS_OEM_VERS = 2.0\n", "no segment"),
        (EXAMPLE.partition("COMMENT This")[0], "no states"),
        ("<cdm/>", "0 <oem>"),
        ("<oem><body><segment><data><stateVector><X>1</X></stateVector></data></segment></body></oem>", "<EPOCH>"),
    ],
)
def test_incomplete_messages(text: str, what: str) -> None:
    with pytest.raises(InputError, match=what):
        parse_oem(text, "in.oem")


def orbit(step_s: float, **changes: Any) -> OemSegment:
    """A circular orbit of 7000 km radius."""
    t = np.arange(0.0, 3001.0, step_s)
    r, v = circle(t)
    times = parse_utc("2025-01-01") + np.round(t * 1e6).astype(np.int64)
    return replace(OemSegment("A", "2000-001A", "GCRF", times, r, v), **changes)


def circle(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rate = np.sqrt(WGS84_MU_KM3_S2 / 7000.0**3)
    c, s, zero = np.cos(rate * t), np.sin(rate * t), np.zeros_like(t)
    return 7000.0 * np.stack([c, s, zero], axis=1), 7000.0 * rate * np.stack([-s, c, zero], axis=1)


@pytest.mark.parametrize(
    ("method", "degree", "r_error_km", "v_error_km_s"),
    [("", None, 1e-6, 1e-7), ("HERMITE", 3, 2e-3, 1e-4), ("LAGRANGE", 9, 1e-6, 1e-9), ("LINEAR", 1, 4.0, 5e-3)],
)
def test_interpolation(method: str, degree: int | None, r_error_km: float, v_error_km_s: float) -> None:
    part = orbit(60.0, interpolation=method, interpolation_degree=degree)
    at = np.linspace(0.0, 3000.0, 317)
    r, v = part.states_at(part.times_us[0] + np.round(at * 1e6).astype(np.int64))
    r_true, v_true = circle(np.round(at * 1e6) * 1e-6)
    assert np.abs(r - r_true).max() < r_error_km
    assert np.abs(v - v_true).max() < v_error_km_s
    r, v = part.states_at(part.times_us)
    assert np.abs(r - part.r_km).max() < 1e-11
    assert np.abs(v - part.v_km_s).max() < 1e-13


def test_interpolation_stays_inside_the_useable_span() -> None:
    part = orbit(60.0)
    first, last = part.span_us
    for at in (first - 1, last + 1):
        with pytest.raises(InputError, match="outside the useable span"):
            part.states_at(np.array([first, at]))
    late = replace(part, useable_start_us=first + 10, useable_stop_us=last - 10)
    assert late.span_us == (first + 10, last - 10)
    with pytest.raises(InputError, match="outside the useable span"):
        late.states_at(np.array([first]))
    with pytest.raises(InputError, match="unknown interpolation"):
        replace(part, interpolation="SPLINE").states_at(part.times_us)
    with pytest.raises(InputError, match="too large"):
        replace(part, v_km_s=part.v_km_s * 1e307).states_at(part.times_us[:1] + 1)
    assert part.states_at(np.empty(0, np.int64))[0].shape == (0, 3)


def test_short_tables_use_what_there_is() -> None:
    part = orbit(1500.0)
    one = replace(part, times_us=part.times_us[:1], r_km=part.r_km[:1], v_km_s=part.v_km_s[:1])
    assert one.states_at(one.times_us)[0].tolist() == one.r_km.tolist()


def test_segments_hand_over() -> None:
    one = orbit(60.0)
    two = replace(one, times_us=one.times_us + 2_000_000_000, r_km=one.r_km + 1.0)
    both = Oem((one, two))
    at = np.array([one.times_us[3], two.times_us[0], two.times_us[-1]])
    r, _ = both.states_at(at)
    assert np.abs(r - [one.r_km[3], two.r_km[0], two.r_km[-1]]).max() < 1e-11
    with pytest.raises(InputError, match="outside the useable span"):
        both.states_at(np.array([one.times_us[0] - 1]))
    with pytest.raises(InputError, match="not of one object"):
        Oem((one, replace(two, ref_frame="ITRF"))).states_at(at)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"object_id": ""}, "obligatory"),
        ({"object_name": "Zürich"}, "ASCII"),
        ({"interpolation": "SPLINE", "interpolation_degree": 3}, "unknown interpolation"),
        ({"interpolation": "LAGRANGE"}, "needs a degree"),
        ({"r_km": np.full((3, 3), np.nan)}, "finite"),
        ({"times_us": np.array([3, 2, 1])}, "do not increase"),
        ({"start_us": 4}, "outside START_TIME"),
        ({"covariances": (OemCovariance(1, np.triu(np.ones((6, 6)))),)}, "not symmetric"),
        ({"object_name": "A" * 300}, "254"),
    ],
)
def test_writing_is_strict(change: dict[str, Any], what: str) -> None:
    values = {"times_us": np.array([3, 4, 5]), "r_km": np.ones((3, 3)), "v_km_s": np.ones((3, 3))}
    part = OemSegment(**{"object_name": "A", "object_id": "2000-001A", "ref_frame": "GCRF", **values, **change})
    with pytest.raises(InputError, match=what):
        write_oem(Oem((part,), creation_us=0, originator="A"))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"creation_us": None}, "obligatory"),
        ({"originator": ""}, "obligatory"),
        ({"version": "1.0"}, "unknown version"),
        ({"message_id": "1"}, "version 3.0"),
        ({"segments": ()}, "at least one segment"),
    ],
)
def test_writing_headers_is_strict(change: dict[str, Any], what: str) -> None:
    with pytest.raises(InputError, match=what):
        write_oem(replace(Oem((orbit(600.0),), creation_us=0, originator="A"), **change))
    with pytest.raises(InputError, match="unknown format"):
        write_oem(Oem((orbit(600.0),), creation_us=0, originator="A"), "csv")


@pytest.mark.skipif(importlib.util.find_spec("brahe") is None, reason="brahe, a peer, is not installed")
@pytest.mark.parametrize("format_", ["kvn", "xml"])
def test_brahe_reads_what_we_write(format_: str) -> None:
    from brahe.ccsds import OEM

    covariance = OemCovariance(parse_utc("2025-01-01"), np.eye(6), "RTN")
    part = orbit(600.0, interpolation="HERMITE", interpolation_degree=7, covariances=(covariance,))
    peer = OEM.from_str(write_oem(Oem((part,), creation_us=parse_utc("2025-01-01"), originator="A"), format_))
    (segment,) = peer.segments
    assert segment.object_id == "2000-001A"
    assert segment.num_covariances == 1
    assert len(segment.states) == len(part)
    assert np.allclose(segment.states[1].position, part.r_km[1] * 1e3, rtol=1e-15)
    assert np.allclose(segment.states[1].velocity, part.v_km_s[1] * 1e3, rtol=1e-15)
