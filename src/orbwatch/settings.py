"""Settings: defaults < TOML file < environment < command line, each field documented where it stands.

The docstring under a field is its help everywhere: the command line and the documentation read it with `describe`.
Importing this module is quick: files, pydantic and the source text are only touched when they are needed.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from orbwatch.errors import InputError
from orbwatch.settings_groups import (
    NOT_HASHED,
    AskSettings,
    BoostSettings,
    ClassifierSettings,
    DatasetSettings,
    DetectorSettings,
    LifeSettings,
    NetworkSettings,
    PredictorSettings,
    Range,
    ReportSettings,
    RiskSettings,
    ScreenedSettings,
    ScreenSettings,
    SourceSettings,
    StoreSettings,
    TrainSettings,
    data_folder,
)

__all__ = [
    "AskSettings",
    "BoostSettings",
    "ClassifierSettings",
    "DatasetSettings",
    "DetectorSettings",
    "FieldInfo",
    "LifeSettings",
    "NetworkSettings",
    "PredictorSettings",
    "ReportSettings",
    "RiskSettings",
    "ScreenSettings",
    "ScreenedSettings",
    "Settings",
    "SourceSettings",
    "StoreSettings",
    "TrainSettings",
    "as_json",
    "data_folder",
    "describe",
    "find_file",
    "load_settings",
    "settings_hash",
]

FILE_NAME = "orbwatch.toml"


@dataclass(frozen=True)
class Settings:
    """All settings, by group."""

    screen: ScreenSettings = field(default_factory=ScreenSettings)
    risk: RiskSettings = field(default_factory=RiskSettings)
    store: Annotated[StoreSettings, NOT_HASHED] = field(default_factory=StoreSettings)
    source: Annotated[SourceSettings, NOT_HASHED] = field(default_factory=SourceSettings)
    report: Annotated[ReportSettings, NOT_HASHED] = field(default_factory=ReportSettings)
    dataset: Annotated[DatasetSettings, NOT_HASHED] = field(default_factory=DatasetSettings)
    asks: Annotated[AskSettings, NOT_HASHED] = field(default_factory=AskSettings)
    life: Annotated[LifeSettings, NOT_HASHED] = field(default_factory=LifeSettings)
    boost: Annotated[BoostSettings, NOT_HASHED] = field(default_factory=BoostSettings)
    detector: Annotated[DetectorSettings, NOT_HASHED] = field(default_factory=DetectorSettings)
    classifier: Annotated[ClassifierSettings, NOT_HASHED] = field(default_factory=ClassifierSettings)
    predictor: Annotated[PredictorSettings, NOT_HASHED] = field(default_factory=PredictorSettings)
    screened: Annotated[ScreenedSettings, NOT_HASHED] = field(default_factory=ScreenedSettings)
    network: Annotated[NetworkSettings, NOT_HASHED] = field(default_factory=NetworkSettings)
    train: Annotated[TrainSettings, NOT_HASHED] = field(default_factory=TrainSettings)


@dataclass(frozen=True)
class FieldInfo:
    """One setting, as the command line and the documentation show it."""

    name: str
    """Field name; dotted, as in the TOML file, when described from `Settings`."""
    type: Any
    """The Python type without ranges and None: float, int, str, Path or tuple[float, float, float]."""
    default: Any
    help: str
    legal: str
    """Legal values in words."""
    hint: Any
    """The annotation itself, with its ranges."""


def find_file() -> Path | None:
    """The settings file in use: ./orbwatch.toml, else the one in ORBWATCH_HOME or the platform's place; None: none."""
    here = Path(FILE_NAME)
    if here.is_file():
        return here
    home = os.environ.get("ORBWATCH_HOME")
    if home:
        folder = Path(home).expanduser()
    else:
        import platformdirs

        folder = platformdirs.user_config_path("orbwatch", appauthor=False)
    return folder / FILE_NAME if (folder / FILE_NAME).is_file() else None


def load_settings(
    file: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """The settings: defaults, then a TOML file, then the environment, then overrides.

    Args:
        file: a TOML file that must exist; without it `find_file` decides. Its relative paths start at its folder.
        overrides: values by dotted name ("screen.threshold_km"), as options of the command line give; None is skipped.
        environ: the environment, `os.environ` by default; ORBWATCH_SCREEN_THRESHOLD_KM sets screen.threshold_km,
            tuples are written with commas, an empty value counts as not set.

    Raises:
        InputError: an unknown name or an illegal value, with where it came from and what is legal.
    """
    known = {info.name: info for info in describe(Settings)}
    values: dict[str, Any] = {}
    path = file or find_file()
    if path is not None:
        for name, value in _read_file(path).items():
            values[name] = _validated(known, name, value, str(path))
            if isinstance(values[name], Path):
                values[name] = path.parent / values[name].expanduser()
    variables = {_variable(name): name for name in known}
    for variable, text in (os.environ if environ is None else environ).items():
        origin = f"environment variable {variable}"
        if variable in variables and text.strip():
            info = known[variables[variable]]
            given = text.split(",") if get_origin(info.type) is tuple else text
            values[info.name] = _validated(known, info.name, given, origin)
        elif variable not in variables and variable.startswith(
            tuple(_variable(f.name) + "_" for f in fields(Settings))
        ):
            raise InputError("unknown setting", file=origin, hint=_nearest(variable, variables))
    for name, value in (overrides or {}).items():
        if value is not None:
            values[name] = _validated(known, name, value, "command line")
    groups: dict[str, Any] = {}
    for group, cls in get_type_hints(Settings).items():
        prefix = f"{group}."
        groups[group] = cls(**{k.removeprefix(prefix): v for k, v in values.items() if k.startswith(prefix)})
    return Settings(**groups)


def describe(cls: type) -> list[FieldInfo]:
    """The fields of a settings class; of `Settings`, the fields of all groups by dotted name."""
    infos: list[FieldInfo] = []
    plain, hints = get_type_hints(cls), get_type_hints(cls, include_extras=True)
    for f in fields(cls):
        if is_dataclass(plain[f.name]):
            infos += [replace(info, name=f"{f.name}.{info.name}") for info in describe(plain[f.name])]
            continue
        kind = _without_none(plain[f.name])
        help_text = _field_docs(str(sys.modules[cls.__module__].__file__))[cls.__name__].get(f.name, "")
        infos.append(FieldInfo(f.name, kind, f.default, help_text, _legal(kind, hints[f.name]), hints[f.name]))
    return infos


def settings_hash(settings: Any) -> str:
    """SHA-256 over every value that results depend on, of `Settings` or of one group; fields marked NOT_HASHED are
    left out, so that another number of threads or another cache folder is the same work."""
    import hashlib
    import json

    return hashlib.sha256(json.dumps(as_json(settings, hashed_only=True), sort_keys=True).encode()).hexdigest()


def as_json(settings: Any, *, hashed_only: bool = False) -> dict[str, Any]:
    """The settings as plain JSON values, for a record of a run."""
    hints = get_type_hints(type(settings), include_extras=True)
    result: dict[str, Any] = {}
    for f in fields(settings):
        if hashed_only and NOT_HASHED in getattr(hints[f.name], "__metadata__", ()):
            continue
        value = getattr(settings, f.name)
        if is_dataclass(value):
            value = as_json(value, hashed_only=hashed_only)
        result[f.name] = str(value) if isinstance(value, Path) else value
    return result


def _variable(name: str) -> str:
    return "ORBWATCH_" + name.replace(".", "_").upper()


def _nearest(name: str, known: Iterable[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, list(known), n=1)
    return f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known)}"


def _read_file(path: Path) -> dict[str, Any]:
    """Values by dotted name, from TOML, or from YAML if the name ends so."""
    import tomllib

    try:
        text = path.read_text(encoding="utf-8")
        tree = _yaml(text, path) if path.suffix.lower() in (".yaml", ".yml") else tomllib.loads(text)
    except OSError as error:
        raise InputError(f"cannot read the settings: {error.strerror}", file=path) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"not a TOML file: {error}", file=path, hint="See https://toml.io") from error
    flat: dict[str, Any] = {}
    for group, values in tree.items():
        if not isinstance(values, dict):
            raise InputError("settings stand in groups", file=path, field=group, hint="Write it below [screen], say")
        flat |= {f"{group}.{name}": value for name, value in values.items()}
    return flat


def _yaml(text: str, path: Path) -> dict[str, Any]:
    import yaml

    try:
        tree = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"not a YAML file: {' '.join(str(error).split())}", file=path) from error
    if not isinstance(tree or {}, dict):
        raise InputError("settings stand in groups", file=path, hint="Write `screen:` and the settings below it")
    return tree or {}


def _validated(known: Mapping[str, FieldInfo], name: str, value: object, origin: str) -> Any:
    """The value in the field's own type, or an InputError that says where it came from."""
    if name not in known:
        raise InputError("unknown setting", file=origin, field=name, hint=_nearest(name, known))
    info = known[name]
    from pydantic import TypeAdapter, ValidationError

    try:
        if isinstance(value, bool) and info.type is not bool:  # pydantic would take true for 1.0
            raise InputError("not a number", file=origin, field=name, value=value, legal=info.legal)
        return TypeAdapter(info.hint).validate_python(value)
    except ValidationError as error:
        what = error.errors()[0]["msg"].removeprefix("Input ")
        raise InputError(what, file=origin, field=name, value=value, legal=info.legal) from None


def _without_none(kind: Any) -> Any:
    parts = [part for part in get_args(kind) if part is not type(None)]
    return parts[0] if isinstance(kind, UnionType) and len(parts) == 1 else kind


def _legal(kind: Any, hint: Any) -> str:
    """Legal values in words, from the type and its range."""
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(get_args(kind))
    noun = {int: "a whole number", float: "a number", str: "text", Path: "a path", bool: "true or false"}.get(kind)
    if noun is None:
        parts = get_args(kind)
        return f"{len(parts)} numbers"
    words = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}
    bounds = [
        f"{words[bound]} {limit:.10g}"
        for allowed in getattr(hint, "__metadata__", ())
        if isinstance(allowed, Range)
        for bound, limit in allowed._asdict().items()
        if limit is not None
    ]
    return " ".join([noun, " and ".join(bounds)]).strip()


@lru_cache
def _field_docs(file: str) -> dict[str, dict[str, str]]:
    """The docstrings under the fields, by class and field: Python keeps none at run time, so they are read here."""
    import ast
    import inspect

    docs: dict[str, dict[str, str]] = {}
    for node in ast.parse(Path(file).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            docs[node.name] = {}
            for statement, after in itertools.pairwise(node.body):
                match statement, after:
                    case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                        docs[node.name][name] = " ".join(inspect.cleandoc(text).split())
    return docs
