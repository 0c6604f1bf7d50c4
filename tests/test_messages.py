"""Probabilities and curves of messages as `cdm pc` prints them, and what it refuses."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from orbwatch.catalog.cdm_write import write_cdm
from orbwatch.errors import InputError
from orbwatch.messages import show_curves, show_pc
from orbwatch.pipeline_what_if import load
from orbwatch.settings import Settings

from .conjunction.made_messages import made


def test_curves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.cdm"
    file.write_text(write_cdm(made()))
    assert show_curves([file], (2.0, 8.0), False, None, Settings(), "json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert (rows[0]["hbr_m"], rows[-1]["hbr_m"]) == pytest.approx((2.0, 8.0))
    assert rows[-1]["pc"] == pytest.approx(16.0 * rows[0]["pc"], rel=0.05)
    assert show_curves([file], None, True, None, Settings(), "json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows[-1]["pc"] > rows[0]["pc"] >= 0.0
    assert rows[-1]["t_s"] > rows[0]["t_s"]


def test_no_velocity_covariance_has_no_history(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bare, bad = (tmp_path / name for name in ("a.cdm", "b.cdm", "c.cdm"))
    good.write_text(write_cdm(made()))
    bare.write_text(re.sub(r"^C[RTN]DOT_.*\n", "", write_cdm(made()), flags=re.MULTILINE))
    bad.write_text("nothing")
    assert show_curves([good, bare, bad], None, True, None, Settings(), "table") == 1
    out = capsys.readouterr()
    assert "b.cdm: no Pc(t)" in out.err
    assert "c.cdm" in out.err
    assert "rate_per_s" in out.out


@pytest.mark.parametrize("notation", ["kvn", "xml", "json"])
@pytest.mark.parametrize(
    ("value", "wrong", "key"),
    [("cov_rtn_km2", np.diag([-1e-2, 1.0, 1.0, 1e-9, 1e-9, 1e-9]), "CR_R"), ("ref_frame", "EME2000", "REF_FRAME"),
     ("v_km_s", np.array([2e3, 0.0, 0.0]), "X_DOT")],
)  # fmt: skip
def test_what_is_refused_later_is_named_with_its_line(
    notation: str, value: str, wrong: object, key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = made()
    text = write_cdm(replace(good, object2=replace(good.object2, **{value: wrong})), notation)
    text = text.replace("EME2000", "MOON") if key == "REF_FRAME" else text
    last = max(i for i, line in enumerate(text.splitlines(), 1) if re.search(rf"\b{key}\b", line))
    file = tmp_path / "a.cdm"
    file.write_text(text)
    assert show_pc([file], None, Settings(), "table") == 1
    said = f"{file}, line {last}: "
    assert said in capsys.readouterr().err
    with pytest.raises(InputError) as caught:
        load(str(file), None, None, Settings())
    assert str(caught.value).startswith(said)


def test_a_negative_distance_is_none_and_contradictions_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd, other = tmp_path / "a.cdm", tmp_path / "b.cdm"
    odd.write_text(re.sub(r"(MISS_DISTANCE +=).*", r"\1 -7 [m]", write_cdm(replace(made(), miss_distance_m=7.0))))
    other.write_text(write_cdm(replace(made(), miss_distance_m=77_777.0)))
    assert show_pc([odd, other], None, Settings(), "json") == 1
    out = capsys.readouterr()
    assert "an impossible number [field MISS_DISTANCE = -7.0]; legal: at least 0" in out.err
    assert f"note: {other}: the message's miss distance, 77777 m, is not that of its states" in out.err
    assert len(json.loads(out.out)) == 1
