"""Settings: defaults < TOML file < environment < command line, each field documented where it stands.

The docstring under a field is its help everywhere: the command line and the documentation read it with `describe`.
Importing this module is quick: files, pydantic and the source text are only touched when they are needed.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

from orbwatch.errors import InputError

FILE_NAME = "orbwatch.toml"
NOT_HASHED = "not hashed"
"""Marks a field that changes how a result is made or shown, but not its numbers."""


class Range(NamedTuple):
    """Legal values of a number, as annotated-types' Interval says it; importing that takes longer than all of this."""

    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return handler(source) | {bound: limit for bound, limit in self._asdict().items() if limit is not None}


Radius = Annotated[float, Range(gt=0.0, le=1000.0)]
HalfSide = Annotated[float, Range(gt=0.0, le=5000.0)]
Probability = Annotated[float, Range(gt=0.0, lt=1.0)]


@dataclass(frozen=True)
class ScreenSettings:
    """What counts as a close approach."""

    threshold_km: Annotated[float, Range(gt=0.0, le=500.0)] = 5.0
    """Report approaches whose miss distance is below this, km."""
    hours: Annotated[float, Range(gt=0.0, le=720.0)] = 24.0
    """Length of the screened window, hours."""
    max_age_day: Annotated[float, Range(gt=0.0, le=3650.0)] = 30.0
    """Element sets older than this at the start of the window, days, are left out: their forecast says nothing."""
    box_rtn_km: tuple[HalfSide, HalfSide, HalfSide] | None = None
    """Half sides of a radial, along-track, cross-track box around the first object, km, instead of the sphere."""
    threads: Annotated[int, Range(ge=1, le=256), NOT_HASHED] = 2
    """Processor threads to compute with; results do not depend on it."""


@dataclass(frozen=True)
class RiskSettings:
    """When an approach becomes an event, and how large an object is when nobody has said."""

    pc_alert: Probability = 1e-4
    """Probability of collision from which an event is an alert (exit code 3). 1e-4 is the usual maneuver threshold
    (NASA Conjunction Assessment Handbook, NASA/SP-20230002470, 2023)."""
    pc_watch: Probability = 1e-7
    """Probability of collision from which an event is watched; below it, it is only listed."""
    hbr_table: Path | None = None
    """Hard-body radii and masses of objects: a CSV file with the columns ObjectID, HBR, HBRSource, Mass (NASA CARA's
    format; plain, xz or gz). The settings risk.hbr_*_m serve the objects that it leaves out."""
    satcat: Path | None = None
    """Names and types of objects: a satellite catalogue in CSV with the columns NORAD_CAT_ID, OBJECT_NAME, OBJECT_TYPE
    (CelesTrak's satcat.csv; plain, xz or gz). TLE files carry neither."""
    hbr_payload_m: Radius = 5.0
    """Hard-body radius assumed for a payload, m."""
    hbr_rocket_body_m: Radius = 5.0
    """Hard-body radius assumed for a rocket body, m."""
    hbr_debris_m: Radius = 1.1
    """Hard-body radius assumed for a piece of debris, m."""
    hbr_unknown_m: Radius = 5.0
    """Hard-body radius assumed for an object of unknown type, m."""

    def __post_init__(self) -> None:
        if self.pc_watch > self.pc_alert:
            legal = f"at most risk.pc_alert = {self.pc_alert:g}"
            raise InputError("watched only above the alert", field="risk.pc_watch", value=self.pc_watch, legal=legal)


@dataclass(frozen=True)
class StoreSettings:
    """Where results are kept."""

    url: str | None = None
    """SQLAlchemy URL of the store, or the path of an SQLite file; without it, orbwatch.db in the data folder."""

    def resolved_url(self) -> str:
        """As a URL: the one given, that of the file given, or that of the file in the data folder."""
        place = self.url or str(data_folder() / "orbwatch.db")
        return place if "://" in place else f"sqlite:///{place}"


@dataclass(frozen=True)
class SourceSettings:
    """How public catalogues are fetched: politely, and never twice without need."""

    celestrak_group: str = "active"
    """CelesTrak group to fetch, e.g. active, stations, starlink."""
    celestrak_url: str = "https://celestrak.org"
    """Base address of CelesTrak."""
    spacetrack_url: str = "https://www.space-track.org"
    """Base address of Space-Track; the login comes from ORBWATCH_SPACETRACK_USER and ORBWATCH_SPACETRACK_PASSWORD."""
    min_interval_s: Annotated[float, Range(ge=7200.0, le=31_536_000.0)] = 7200.0
    """Seconds before the same address is asked again, after a failure too. CelesTrak's data change every two hours."""
    timeout_s: Annotated[float, Range(gt=0.0, le=600.0)] = 60.0
    """Seconds without an answer after which a request is given up."""
    celestrak_per_hour: Annotated[int, Range(ge=1, le=100)] = 20
    """Most requests to CelesTrak in any hour."""
    spacetrack_per_minute: Annotated[int, Range(ge=1, lt=30)] = 20
    """Most requests to Space-Track in any minute; its rules say fewer than 30."""
    spacetrack_per_hour: Annotated[int, Range(ge=1, lt=300)] = 200
    """Most requests to Space-Track in any hour; its rules say fewer than 300."""
    cache_dir: Path | None = None
    """Folder of fetched files; without it, `cache` in the data folder."""
    user_agent: str = "orbwatch (open-source space domain awareness)"
    """How requests introduce themselves."""

    def resolved_cache_dir(self) -> Path:
        """The cache folder, or the one in the data folder."""
        return self.cache_dir or data_folder() / "cache"


@dataclass(frozen=True)
class ReportSettings:
    """What the report shows."""

    top_events: Annotated[int, Range(ge=0, le=500)] = 25
    """Number of events shown with plots."""


@dataclass(frozen=True)
class Settings:
    """All settings, by group."""

    screen: ScreenSettings = field(default_factory=ScreenSettings)
    risk: RiskSettings = field(default_factory=RiskSettings)
    store: Annotated[StoreSettings, NOT_HASHED] = field(default_factory=StoreSettings)
    source: Annotated[SourceSettings, NOT_HASHED] = field(default_factory=SourceSettings)
    report: Annotated[ReportSettings, NOT_HASHED] = field(default_factory=ReportSettings)


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


def data_folder() -> Path:
    """The folder of the store and the cache: ORBWATCH_HOME, or the platform's place for user data."""
    home = os.environ.get("ORBWATCH_HOME")
    if home:
        return Path(home).expanduser()
    import platformdirs

    return platformdirs.user_data_path("orbwatch", appauthor=False)


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
        for name, value in _read_toml(path).items():
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
        help_text = _field_docs()[cls.__name__].get(f.name, "")
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


def _read_toml(path: Path) -> dict[str, Any]:
    """Values by dotted name."""
    import tomllib

    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
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


def _validated(known: Mapping[str, FieldInfo], name: str, value: object, origin: str) -> Any:
    """The value in the field's own type, or an InputError that says where it came from."""
    if name not in known:
        raise InputError("unknown setting", file=origin, field=name, hint=_nearest(name, known))
    info = known[name]
    from pydantic import TypeAdapter, ValidationError

    try:
        if isinstance(value, bool):  # pydantic would take true for 1.0
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
    noun = {int: "a whole number", float: "a number", str: "text", Path: "a path"}.get(kind)
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
def _field_docs() -> dict[str, dict[str, str]]:
    """The docstrings under the fields, by class and field: Python keeps none at run time, so they are read here."""
    import ast
    import inspect

    docs: dict[str, dict[str, str]] = {}
    for node in ast.parse(Path(__file__).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            docs[node.name] = {}
            for statement, after in itertools.pairwise(node.body):
                match statement, after:
                    case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                        docs[node.name][name] = " ".join(inspect.cleandoc(text).split())
    return docs
