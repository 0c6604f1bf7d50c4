"""Options that verbs share; those made from settings have their type, default, legal range and help from there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click

from orbwatch.settings import FieldInfo, Settings, describe, load_settings

Command = Callable[..., Any]
FILE = click.Path(path_type=Path)

config_option = click.option(
    "--config", type=FILE, help="Settings file (TOML or YAML). [default: ./orbwatch.toml if there]"
)


@cache
def _known() -> Mapping[str, FieldInfo]:
    return {info.name: info for info in describe(Settings)}


def setting(name: str, flag: str | None = None, help_text: str | None = None) -> Callable[[Command], Command]:
    """An option for the setting of that dotted name: screen.threshold_km becomes --threshold-km, or `flag`.

    help_text: what the setting does in this command, where it is not what the setting's own description says.
    """
    info = _known()[name]
    kind: Any = get_args(info.type) or (click.Path(path_type=Path) if info.type is Path else info.type)
    if get_origin(info.type) is Literal:
        kind = click.Choice(get_args(info.type))
    default = "none" if info.default is None else info.default
    flag = flag or "--" + name.split(".")[1].replace("_", "-")
    if info.type is bool:
        flag, kind = f"{flag}/--no-{flag.removeprefix('--')}", None
    return click.option(
        flag,
        _parameter(name),
        type=kind,
        default=None,
        help=f"{help_text or info.help} [default: {default}{f'; {info.legal}' if info.legal else ''}]",
    )


def settings_of(options: Mapping[str, Any]) -> Settings:
    """Settings from the file (option `config`), the environment and the given options (those made by `setting`)."""
    return load_settings(options["config"], {name: options.get(_parameter(name)) for name in _known()})


def group_options(group: str, *but: str) -> Callable[[Command], Command]:
    """An option for every setting of a group, in their order."""

    def decorate(command: Command) -> Command:
        for name in reversed(list(_known())):
            if name.startswith(f"{group}.") and name.split(".")[1] not in but:
                command = setting(name)(command)
        return command

    return decorate


def format_option(*forms: str) -> Callable[[Command], Command]:
    return click.option(
        "--format", "form", type=click.Choice(forms), default=forms[0], show_default=True, help="What to print."
    )


def terminal_progress() -> Any:
    from orbwatch.report.progress import terminal_progress

    return terminal_progress()


def _parameter(name: str) -> str:
    return name.replace(".", "__")
