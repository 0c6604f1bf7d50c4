"""Command-line options made from the settings: type, default, legal range and help stand there, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click

from orbwatch.settings import FieldInfo, Settings, describe, load_settings

Command = Callable[..., Any]


@cache
def _known() -> Mapping[str, FieldInfo]:
    return {info.name: info for info in describe(Settings)}


def setting(name: str, flag: str | None = None) -> Callable[[Command], Command]:
    """An option for the setting of that dotted name: screen.threshold_km becomes --threshold-km, or `flag`."""
    info = _known()[name]
    kind: Any = get_args(info.type) or (click.Path(path_type=Path) if info.type is Path else info.type)
    if get_origin(info.type) is Literal:
        kind = click.Choice(get_args(info.type))
    default = "none" if info.default is None else info.default
    return click.option(
        flag or "--" + name.split(".")[1].replace("_", "-"),
        _parameter(name),
        type=kind,
        help=f"{info.help} [default: {default}{f'; {info.legal}' if info.legal else ''}]",
    )


def settings_of(config: Path | None, options: Mapping[str, Any]) -> Settings:
    """Settings from the file, the environment and the given options (those made by `setting`)."""
    return load_settings(config, {name: options.get(_parameter(name)) for name in _known()})


def _parameter(name: str) -> str:
    return name.replace(".", "__")
