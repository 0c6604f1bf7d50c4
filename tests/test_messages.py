"""Curves of messages as `cdm pc` prints them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from orbwatch.catalog.cdm_write import write_cdm
from orbwatch.messages import show_curves
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
