"""What `orbwatch maneuvers` does and says."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from jaxtyping import Int

from orbwatch.catalog.ids import known_names, read_ids
from orbwatch.catalog.written import write_atomically
from orbwatch.errors import InputError
from orbwatch.progress import Progress
from orbwatch.report.tabular import Format, emit
from orbwatch.settings import Settings
from orbwatch.time import format_utc, parse_utc

if TYPE_CHECKING:
    from orbwatch.catalog.burns import Burns
    from orbwatch.catalog.gp import GpTable
    from orbwatch.maneuver.found import Maneuvers

_SHOWN_EVENTS = 20
_SHOWN_OBJECTS = 60


@dataclass(frozen=True)
class Asked:
    """Whose maneuvers, and which of them."""

    who: tuple[str, ...]
    """Catalogue numbers, or names."""
    ids_file: Path | None
    since: str | None
    min_probability: float
    names: Path | None


@dataclass(frozen=True)
class SearchIn:
    """Where to look, and how."""

    history: Path
    causal: bool
    model: str | None
    save: bool
    truth: tuple[Path, ...]


def find_in_history(
    asked: Asked, search: SearchIn, settings: Settings, output: Path | None, plot: Path | None, form: Format,
    progress: Progress,
) -> int:  # fmt: skip
    """Find maneuvers in a history and show them; 1 when it has none of the objects."""
    from orbwatch import pipeline_maneuvers as pipeline
    from orbwatch.catalog.store import Store

    burns = _truth(search.truth)
    progress("reading the history", 0.0)
    table, names, missing = _read(asked, search.history, burns)
    ids = np.unique(table.norad_id)
    if plot is not None and len(ids) != 1:
        hint = "Give one object"
        raise InputError("a plot is of one object", field="--plot", value=f"{len(ids):,} objects", hint=hint)
    given = (search.model, search.causal, asked.min_probability, progress, settings.screen.threads)
    if search.save:
        with Store.open(settings.store.resolved_url()) as store:
            found = pipeline.search_maneuvers(table, store, *given)
    else:
        try:
            found = pipeline.find_maneuvers(table, *given)
        except KeyboardInterrupt:
            raise KeyboardInterrupt("nothing is kept without --save") from None
    since_us = None if asked.since is None else parse_utc(asked.since)
    shown, lately = found, table
    if since_us is not None:
        shown, lately = found.take(found.epoch_us >= since_us), table[table.epoch_us >= since_us]
        burns = None if burns is None else burns[burns.middle_us >= since_us]
        if not len(lately):
            last = format_utc(int(table.epoch_us.max()), 0)
            raise InputError("no element set since then", field="--since", value=asked.since, legal=f"until {last}")
    if output is not None or form != "table":
        _put(shown, form, output)
    elif len(ids) == 1:
        _show_one(table, lately, found, shown, names, burns)
    else:
        _show_many(table, found, shown, names)
    if missing:
        click.echo(f"not in the history: {', '.join(missing[:10])}{' and others' if missing[10:] else ''}", err=True)
    if plot is not None:
        from orbwatch.report.html import render
        from orbwatch.report.maneuver_page import page

        life, least = pipeline.life_of(table, found)
        method, name = pipeline.method_label(search.model, search.causal), names.get(int(ids[0]), "")
        write_atomically(
            plot, render(page(lately, shown, life, least, name, method, burns, pipeline.told_of(table))).encode()
        )
        click.echo(f"{plot}: timeline of {len(table):,} element sets", err=True)
    return 0 if len(ids) else 1


def show_stored(asked: Asked, settings: Settings, output: Path | None, form: Format) -> int:
    """Maneuvers from the store; 1 when it has none of them."""
    from orbwatch.catalog.store import Store
    from orbwatch.catalog.store_maneuvers import stored_maneuvers, stored_words
    from orbwatch.pipeline_maneuvers import from_store
    from orbwatch.report.maneuver_words import event_words

    ids, missing = _numbers(asked, known_names(None, asked.names, None))
    if missing:
        raise InputError("no such name", value=missing[0], hint="Give its catalogue number, or --names FILE")
    wanted = None if ids is None else ids
    since_us = None if asked.since is None else parse_utc(asked.since)
    with Store.open(settings.store.resolved_url()) as store:
        found = from_store(stored_maneuvers(store, wanted, since_us, asked.min_probability))
        words = stored_words(store, wanted)
    if output is not None or form != "table":
        _put(found, form, output)
        return 0 if len(words) else 1
    if len(found):
        order = np.argsort(-found.epoch_us, kind="stable")
        columns = {"norad_id": found.norad_id[order], **event_words(found)}
        emit(columns, form, title="Stored maneuvers, the newest first", limit=_SHOWN_OBJECTS)
    elif words:
        click.echo("no maneuver is stored of these objects")
    for number, sentence in list(words.items())[: 3 if wanted is None else 10]:
        click.echo(f"{number}: {sentence}")
    if not words:
        hint = "`orbwatch maneuvers --history FILE --save` and `assess --history` look"
        click.echo(f"none of these objects has been searched yet: {hint}", err=True)
    return 0 if words else 1


def _truth(files: tuple[Path, ...]) -> Burns | None:
    from orbwatch.catalog.burns import Burns, read_burns

    if not files:
        return None
    read = [read_burns(file) for file in files]
    return Burns(*(np.concatenate([getattr(one, f.name) for one in read]) for f in fields(Burns)))


def _numbers(asked: Asked, names: Mapping[int, str]) -> tuple[list[int] | None, list[str]]:
    """Catalogue numbers asked for (None: all), and names that are not known."""
    if not asked.who and asked.ids_file is None:
        return None, []
    ids = [] if asked.ids_file is None else read_ids(asked.ids_file)
    by_name: dict[str, list[int]] = {}
    for number, name in names.items():
        by_name.setdefault(name.strip().upper(), []).append(number)
    missing = []
    for word in asked.who:
        if word.isdigit():
            ids.append(int(word))
        elif word.strip().upper() in by_name:
            ids += by_name[word.strip().upper()]
        else:
            missing.append(word)
    return ids, missing


def _read(asked: Asked, history: Path, burns: Burns | None) -> tuple[GpTable, Mapping[int, str], list[str]]:
    """The sets of the objects asked for, names by number, and who is not there."""
    from orbwatch.catalog.history import read_history

    named = {} if burns is None else dict(zip(burns.norad_id.tolist(), burns.name.tolist(), strict=True))
    named |= known_names(None, asked.names, history)
    ids, missing = _numbers(asked, named)
    by_name = bool(missing)  # perhaps the sets themselves know the name
    read = read_history(history, None if by_name else ids)
    table = read.table
    if read.rejected:
        more = f" and {len(read.rejected) - 1:,} more" if len(read.rejected) > 1 else ""
        click.echo(f"left out: {read.rejected[0]}{more}", err=True)
    names = named | known_names(table, asked.names, history)
    if by_name:
        ids, missing = _numbers(asked, names)
        table = table[np.isin(table.norad_id, np.array(ids, np.int64))]
    there = set(np.unique(table.norad_id).tolist())
    missing += [str(one) for one in ids or [] if one not in there]
    if not len(table):
        raise InputError(
            "no element set of these objects", file=history, value=", ".join(missing[:5]) or None,
            hint="Names are as in objects.tsv beside the history, or --names FILE",
        )  # fmt: skip
    return table, names, missing


def _put(found: Maneuvers, form: Format, output: Path | None) -> None:
    from orbwatch.report.maneuver_words import event_columns

    if output is None:
        emit(event_columns(found), form, limit=_SHOWN_OBJECTS)
        return
    rows = io.BytesIO()
    emit(event_columns(found), form, rows)
    write_atomically(output, rows.getvalue())
    objects = len(np.unique(found.norad_id))
    click.echo(f"{output}: {len(found):,} maneuvers of {objects:,} objects", err=True)


def _show_one(
    table: GpTable,
    lately: GpTable,
    found: Maneuvers,
    shown: Maneuvers,
    names: Mapping[int, str],
    burns: Burns | None,
) -> None:
    from orbwatch.pipeline_maneuvers import life_of, told_of
    from orbwatch.report.maneuver_truth import matched, truth_sentence
    from orbwatch.report.maneuver_words import event_words, life_lines, names_of

    number = int(table.norad_id[0])
    who = names_of(names, number)
    if len(shown):
        columns = event_words(shown)
        emit(columns, "table", title=f"{who}: maneuvers, the newest first", limit=_SHOWN_EVENTS)
    for line in life_lines(lately, shown, *life_of(table, found), told_of(table)):
        click.echo(f"{who}: {line}")
    if burns is not None:
        click.echo(truth_sentence(matched(shown, burns, lately), lately))


def _show_many(table: GpTable, found: Maneuvers, shown: Maneuvers, names: Mapping[int, str]) -> None:
    from orbwatch.pipeline_maneuvers import lives_of
    from orbwatch.report.maneuver_words import LIKELY, PERHAPS, is_perhaps, object_words

    ids: Int[np.ndarray, " k"] = np.unique(table.norad_id)
    who = np.unique(shown.norad_id[shown.probability >= LIKELY])
    at_us = int(table.epoch_us.max())
    title = f"{len(who):,} of {len(ids):,} objects maneuvered (p ≥ {LIKELY:g}); the newest first"
    if len(who):
        lives = lives_of(table[np.isin(table.norad_id, who)], found)
        columns: dict[str, Any] = object_words(shown, lives, names, at_us)
        emit(columns, "table", title=title, limit=_SHOWN_OBJECTS, rest="--format csv gives every maneuver")
    else:
        click.echo(title.split(";")[0])
    others = shown.take(is_perhaps(shown) & ~np.isin(shown.norad_id, who))
    if len(others):
        objects = len(np.unique(others.norad_id))
        click.echo(
            f"with p {PERHAPS:g} to {LIKELY:g}, perhaps maneuvers: {len(others):,} events of {objects:,} other "
            "objects; --format csv lists every event down to --min-probability"
        )
