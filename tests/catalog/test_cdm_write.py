from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orbwatch.catalog.cdm import Cdm, CdmObject, parse_cdms, read_cdm, write_cdm
from orbwatch.catalog.cdm_keywords import COVARIANCE_KEYS, HEADER_BLOCKS, KEYWORDS, OBJECT_BLOCKS, STATE_KEYS, Keyword
from orbwatch.catalog.cdm_message import MESSAGE_FIELDS, OBJECT_FIELDS, VECTOR_FIELDS
from orbwatch.errors import InputError

EXAMPLE = (Path(__file__).parent.parent / "truth" / "cdm_508x0b1.kvn").read_text()
FORMATS = ("kvn", "xml", "json")

reals = st.floats(allow_nan=False, allow_infinity=False)
instants = st.integers(-(10**15), 4 * 10**15)
texts = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)
phrases = st.lists(texts, min_size=1, max_size=4).map(" ".join)
triples = st.lists(reals, min_size=3, max_size=3).map(np.array)


def values(word: Keyword) -> st.SearchStrategy[float | int | str]:
    if word.legal:
        return st.sampled_from(word.legal)
    if word.key == "RESIDUALS_ACCEPTED" or "PROBABILITY" in word.key or word.key == "SCREEN_PC_THRESHOLD":
        return phrases if word.kind == "text" else st.floats(0.0, 1.0)
    kinds: dict[str, Any] = {"time": instants, "int": st.integers(0, 2**53), "real": reals, "text": phrases}
    return kinds[word.kind]


def more(blocks: tuple[str, ...], own: set[str], version: str) -> st.SearchStrategy[dict[str, float | int | str]]:
    words = [w for block in blocks for w in KEYWORDS[block] if w.key not in own and w.since <= float(version)]
    made = st.fixed_dictionaries({}, optional={word.name: values(word) for word in words})
    return made.map(lambda chosen: chosen if _legible(chosen) else {k: v for k, v in chosen.items() if k[:4] != "xyz_"})


def _legible(chosen: dict[str, Any]) -> bool:
    """Terms that the two covariances have in common are told apart by the others alone."""
    xyz = [word.name for word in KEYWORDS["covariance_xyz"] if not word.name.startswith("xyz_")]
    return any(name in chosen for name in xyz)


def comments(*blocks: str) -> st.SearchStrategy[dict[str, tuple[str, ...]]]:
    return st.dictionaries(st.sampled_from(blocks), st.lists(phrases, min_size=1, max_size=3).map(tuple))


# Built in the test, not while drawing: the run-time type checks use `random`, which hypothesis forbids in strategies.
@st.composite
def object_values(draw: st.DrawFn, version: str) -> dict[str, Any]:
    half = np.tril(np.array(draw(st.lists(reals, min_size=36, max_size=36))).reshape(6, 6))
    own = {*OBJECT_FIELDS, *STATE_KEYS, *COVARIANCE_KEYS, "OBJECT"}
    return {
        "designator": draw(texts),
        "r_km": draw(triples),
        "v_km_s": draw(triples),
        "ref_frame": draw(st.sampled_from(["GCRF", "EME2000", "ITRF"])),
        "cov_rtn_km2": half + np.tril(half, -1).T,
        "catalog_name": draw(phrases),
        "name": draw(phrases),
        "international_designator": draw(phrases),
        "object_type": draw(st.sampled_from(["", "PAYLOAD", "ROCKET BODY"])),
        "ephemeris_name": draw(phrases),
        "covariance_method": draw(st.sampled_from(["CALCULATED", "DEFAULT"])),
        "maneuverable": draw(st.sampled_from(["YES", "NO", "N/A"])),
        "more": draw(more(OBJECT_BLOCKS, own, version)),
        "comments": draw(comments("metadata", "state_vector", "covariance")),
    }


@st.composite
def cdm_values(draw: st.DrawFn) -> dict[str, Any]:
    version = draw(st.sampled_from(["1.0", "2.0"]))
    own = {*MESSAGE_FIELDS, *(key for keys in VECTOR_FIELDS.values() for key in keys)}
    vectors = draw(st.booleans())
    return {
        "tca_us": draw(instants),
        "object1": draw(object_values(version)),
        "object2": draw(object_values(version)),
        "miss_distance_m": draw(st.floats(0.0, 1e300)),
        "relative_speed_m_s": draw(st.none() | st.floats(0.0, 1e300)),
        "relative_position_rtn_m": draw(triples) if vectors else None,
        "relative_velocity_rtn_m_s": draw(triples) if vectors else None,
        "collision_probability": draw(st.none() | st.floats(0.0, 1.0)),
        "collision_probability_method": draw(st.just("") | phrases),
        "creation_us": draw(instants),
        "originator": draw(phrases),
        "message_for": draw(st.just("") | phrases),
        "message_id": draw(phrases),
        "version": version,
        "more": draw(more(HEADER_BLOCKS, own, version)),
        "comments": draw(comments("header", "relative")),
        "user_defined": draw(st.dictionaries(st.from_regex(r"[A-Z0-9_]{1,9}", fullmatch=True), phrases))
        if version == "2.0"
        else {},
    }


def same(one: object, two: object) -> None:
    """Every field is equal, arrays bit for bit; but for the lines of the file."""
    assert dataclasses.is_dataclass(one)
    for field in dataclasses.fields(one):
        x, y = getattr(one, field.name), getattr(two, field.name)
        if field.name == "lines":
            continue
        if dataclasses.is_dataclass(x):
            same(x, y)
        elif isinstance(x, np.ndarray):
            assert np.array_equal(x, y), field.name
        else:
            assert x == y, field.name


def example() -> Cdm:
    (cdm,) = parse_cdms(EXAMPLE)
    return dataclasses.replace(cdm, object2=dataclasses.replace(cdm.object2, cov_rtn_km2=cdm.object1.cov_rtn_km2))


@settings(max_examples=20, deadline=None)
@given(cdm_values(), st.sampled_from(FORMATS))
def test_write_then_read_is_the_identity(values: dict[str, Any], format_: str) -> None:
    objects = {name: CdmObject(**values[name]) for name in ("object1", "object2")}
    cdm = Cdm(**{**values, **objects})
    (back,) = parse_cdms(write_cdm(cdm, format_))
    same(cdm, back)


def test_kvn_as_the_standard_shows_it() -> None:
    text = write_cdm(example())
    assert text.startswith("CCSDS_CDM_VERS      = 1.0\nCREATION_DATE       = 2010-03-12T22:31:12.000000\n")
    assert "\nMISS_DISTANCE       = 715.0 [m]\n" in text
    assert "\nCR_R                = 4.142e+1 [m**2]\n" in text
    assert text.index("OBJECT1") < text.index("OBJECT2")


def test_xml_as_the_schema_orders_it() -> None:
    cdm = dataclasses.replace(
        example(),
        relative_position_rtn_m=np.array([1.0, 2.0, 3.0]),
        relative_velocity_rtn_m_s=np.array([4.0, 5.0, 6.0]),
        comments={"relative": ("a < b",)},
    )
    text = write_cdm(cdm, "XML")
    for part in (
        '<cdm xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"',
        'id="CCSDS_CDM_VERS" version="1.0">\n  <header>',
        "<relativeMetadataData>\n      <COMMENT>a &lt; b</COMMENT>",
        '<relativeStateVector>\n        <RELATIVE_POSITION_R units="m">1.0</RELATIVE_POSITION_R>',
        '<RELATIVE_VELOCITY_N units="m/s">6.0</RELATIVE_VELOCITY_N>\n      </relativeStateVector>',
        '<covarianceMatrix>\n          <CR_R units="m**2">4.142e+1</CR_R>',
    ):
        assert part in text
    same(cdm, parse_cdms(text)[0])
    same(cdm, parse_cdms(f"<ndm>{text.partition('?>')[2]}</ndm>")[0])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"creation_us": None}, "CREATION_DATE"),
        ({"miss_distance_m": -1.0}, "MISS_DISTANCE"),
        ({"miss_distance_m": float("inf")}, None),
        ({"collision_probability": 1.5}, "COLLISION_PROBABILITY"),
        ({"collision_probability": float("nan")}, "COLLISION_PROBABILITY"),
        ({"originator": "Zürich"}, "ORIGINATOR"),
        ({"originator": "a\nb"}, "ORIGINATOR"),
        ({"originator": "a  b"}, "ORIGINATOR"),
        ({"originator": "a" * 300}, None),
        ({"version": "3.0"}, "CCSDS_CDM_VERS"),
        ({"unknown": {"FOO": "1"}}, "FOO"),
        ({"user_defined": {"A": "1"}}, "USER_DEFINED_A"),
        ({"version": "2.0", "user_defined": {"a b": "1"}}, "user_defined"),
        ({"more": {"classification": "x"}}, "CLASSIFICATION"),
        ({"more": {"nonsense": "x"}}, "nonsense"),
        ({"more": {"tca_us": 1}}, "tca_us"),
        ({"more": {"screen_volume_x_m": "wide"}}, "screen_volume_x_m"),
        ({"more": {"screen_volume_shape": "BALL"}}, "SCREEN_VOLUME_SHAPE"),
        ({"comments": {"nowhere": ("a",)}}, "nowhere"),
        ({"relative_position_rtn_m": np.zeros(3)}, "RELATIVE_POSITION_R"),
    ],
)
def test_writing_is_strict(change: dict[str, Any], field: str | None) -> None:
    with pytest.raises(InputError) as caught:
        write_cdm(dataclasses.replace(example(), **change))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ref_frame": "TEME"}, "REF_FRAME"),
        ({"designator": ""}, "OBJECT_DESIGNATOR"),
        ({"maneuverable": "MAYBE"}, "MANEUVERABLE"),
        ({"cov_rtn_km2": None}, "CR_R"),
        ({"cov_rtn_km2": np.triu(np.ones((6, 6)))}, "CR_R"),
        ({"cov_rtn_km2": np.full((6, 6), np.nan)}, "CR_R"),
        ({"comments": {"od_parameters": ("a",), "covariance_metadata": ("b",)}}, "COMMENT"),
    ],
)
def test_writing_objects_is_strict(change: dict[str, Any], field: str) -> None:
    cdm = example()
    with pytest.raises(InputError) as caught:
        write_cdm(dataclasses.replace(cdm, object1=dataclasses.replace(cdm.object1, **change)))
    assert caught.value.field == field


def test_unknown_format() -> None:
    with pytest.raises(InputError, match="unknown format"):
        write_cdm(example(), "yaml")


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("<cdm>\n<a></cdm>", 2, "malformed XML: mismatched tag"),
        ("\n\n<cdm>\n<a></cdm>", 4, "malformed XML: mismatched tag"),
        ("<!DOCTYPE cdm [<!ENTITY a 'b'>]><cdm>&a;</cdm>", 1, "document type"),
        ("<oem/>", 1, "not a conjunction data message: <oem>"),
        ("<cdm version='1.0'>" + "<a>" * 40, 1, "nested deeper"),
        ("<cdm version='1.0'><TCA>x</TCA></cdm>", 1, "OBJECT1 is missing"),
        ("<", 1, "malformed XML"),
        ("{", 1, "malformed JSON"),
        ("[" * 100_000, None, "malformed JSON"),
        ("[1]", None, "not a conjunction data message"),
        ('{"SAT_1_ID": 5}', 1, "cdm_public"),
        ('{"A": "\\n\\"\\":",\n"TCA": [1, {"a": 2}]}', 2, "not a single value"),
        ('{"A": 1,\n"B": {"A": 1},\n"A": 2}', 3, "name given twice"),
        ('{"a":\n' * 20 + "1" + "}" * 20, 10, "nested too deeply"),
        ("{}", None, "no CCSDS_CDM_VERS"),
    ],
)
def test_malformed_xml_and_json(text: str, line: int | None, what: str) -> None:
    with pytest.raises(InputError, match=what) as caught:
        parse_cdms(text, "in")
    assert (caught.value.file, caught.value.line) == ("in", line)


@pytest.mark.parametrize("format_", FORMATS)
def test_every_value_knows_its_line(format_: str) -> None:
    text = write_cdm(example(), format_)
    lines = text.splitlines()
    (read,) = parse_cdms(text)
    for part, key in ((read, "MISS_DISTANCE"), (read.object1, "CR_R"), (read.object2, "CR_R"), (read.object2, "X")):
        assert key in lines[part.lines[key] - 1]
    assert read.object1.lines["CR_R"] < read.object2.lines["X"] < read.object2.lines["CR_R"]


def test_space_track_json() -> None:
    """Flat keys as of Space-Track's class `cdm`: SAT1_..., X_UNIT, X_FRACTION, COMMENT_...."""
    cdm = example()
    rows = ['"CCSDS_CDM_VERS": "1.0", "CDM_ID": "1", "CREATION_DATE": "2010-03-12T22:31:12", "TCA_UNIT": null']
    rows += ['"TCA": "2010-03-13T22:37:52", "TCA_FRACTION": "618000", "MISS_DISTANCE": 715, "MISS_DISTANCE_UNIT": "m"']
    rows += ['"ORIGINATOR": "JSPOC", "MESSAGE_ID": "201113719185", "COLLISION_PROBABILITY": null']
    for line in EXAMPLE.split("OBJECT1\n")[1].split("\n"):
        key, _, rest = line.partition("=")
        value, _, unit = rest.strip().partition("[")
        if key.strip() == "OBJECT":
            break
        if key:
            for prefix in ("SAT1_", "SAT2_"):
                rows.append(f'"{prefix}{key.strip()}": "{value.strip()}"')
                rows += [f'"{prefix}{key.strip()}_UNIT": "{unit.rstrip("]")}"'] if unit else []
    rows += ['"SAT1_OBJECT": "OBJECT1", "SAT1_COMMENT_EXCLUSION_VOLUME_RADIUS": "5.0", "COMMENT_X": "Screening = Y"']
    (read,) = parse_cdms("[{" + ", ".join(rows) + "}]")
    assert read.unknown == {"CDM_ID": "1"}
    assert read.comments == {"header": ("Screening = Y",)}
    assert read.object1.comments == {"metadata": ("EXCLUSION VOLUME RADIUS = 5.0",)}
    same(dataclasses.replace(read.object1, comments={}), cdm.object1)
    clean = dataclasses.replace(read, unknown={}, comments={}, object1=cdm.object1, object2=cdm.object2)
    same(clean, cdm)


BROKEN = {
    "CDM-covariance-wrong-entry-format.txt": (65, "CRDOT_T", "not a number"),
    "CDM-missing-TCA.txt": (1, "TCA", "closest approach is missing"),
    "CDM-missing-object2-state-vector.txt": (43, "X", "state is incomplete"),
    "CDMExample1InvalidTca.txt": (5, "TCA", "no such day"),
    "CDMExample_issue1319_mandatory_empty_value.xml": (88, "X", "state is incomplete"),
}
"""The malformed ones among the real files: line, field, reason. All others must read."""

UNWRITABLE = {
    "CDM-frame-mapper.txt": "COVARIANCE_SOURCE",  # version 2 keywords under version 1.0
    "CDM-missing-object1-covariance-block.xml": "CR_R",
    "CDM-wrong-key-word.txt": "WRONG_KEYWORD",
}
"""Read, but the standard forbids to write them so."""


def test_every_real_message(data: Path) -> None:
    paths = sorted((data / "cdm").glob("*/*"))
    assert len(paths) == 117
    broken, unwritable = {}, {}
    for i, path in enumerate(paths):
        try:
            cdm = read_cdm(path)
        except InputError as error:
            broken[path.name] = (error.line, error.field, next(w for _, _, w in BROKEN.values() if w in error.what))
            continue
        try:
            text = write_cdm(cdm, FORMATS[i % 3])
            if i % 4 == 0:  # the run-time type checks make each one slow
                same(cdm, parse_cdms(text)[0])
        except InputError as error:
            unwritable[path.name] = error.field
    assert broken == BROKEN
    assert unwritable == UNWRITABLE


@pytest.mark.skipif(importlib.util.find_spec("brahe") is None, reason="brahe, a peer, is not installed")
@pytest.mark.parametrize("format_", ["kvn", "xml"])
def test_brahe_reads_what_we_write(format_: str) -> None:
    from brahe.ccsds import CDM

    cdm = example()
    peer = CDM.from_str(write_cdm(cdm, format_))
    assert peer.message_id == cdm.message_id
    assert peer.miss_distance == cdm.miss_distance_m
    assert peer.object1_designator == cdm.object1.designator
    assert np.allclose(np.array(peer.object1_state)[:3], cdm.object1.r_km * 1e3, rtol=1e-15)
    assert cdm.object1.cov_rtn_km2 is not None
    assert np.allclose(np.array(peer.object1_covariance)[:6, :6], cdm.object1.cov_rtn_km2 * 1e6, rtol=1e-14)


def test_a_term_of_a_matrix_that_is_not_there() -> None:
    good = example()
    lone = dataclasses.replace(good.object1, more={"xyz_csrp_drg_m4_kg2": 0.0})
    with pytest.raises(InputError, match="along R, T and N") as caught:
        write_cdm(dataclasses.replace(good, version="2.0", object1=lone))
    assert caught.value.field == "xyz_csrp_drg_m4_kg2"
