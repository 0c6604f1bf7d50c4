from __future__ import annotations

import pytest

from orbwatch.report import progress


def test_a_log_gets_one_line_at_the_end_of_a_stage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: False, raising=False)
    show = progress.terminal_progress()
    for fraction in (0.0, 0.5, 1.0, 1.0):
        show("screening", fraction)
    assert capsys.readouterr().err == "screening: 100%\n"


def test_a_long_stage_is_heard_of_on_the_way(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([0.0, 5.0, 11.0, 12.0])
    monkeypatch.setattr("sys.stderr.isatty", lambda: False, raising=False)
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    show = progress.terminal_progress()
    for fraction in (0.1, 0.3, 0.6, 0.7):
        show("screening", fraction)
    assert capsys.readouterr().err == "screening: 60%\n"


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    show = progress.terminal_progress()
    show("screening", 0.5)
    show("screening", 1.0)
    text = capsys.readouterr().err
    assert " 50%" in text
    assert text.endswith("100%\n")
