"""Tables of the store. Portable: nothing here that PostgreSQL would refuse (checked by a test).

`migrations/` builds them; a change here needs a new revision there, and its name at the end of `REVISIONS`.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

REVISIONS = ("0001", "0002")
"""Every schema revision, oldest first; a database at any other one was written by a newer orbwatch."""

STATUSES = ("running", "done", "interrupted", "failed")

metadata = MetaData()

# SQLite numbers rows by itself only where the column is called INTEGER.
_id = BigInteger().with_variant(Integer, "sqlite")

runs = Table(
    "runs",
    metadata,
    Column("id", _id, primary_key=True),
    Column("run_key", String(64), nullable=False, unique=True),
    Column("kind", String(32), nullable=False),
    Column("status", String(16), nullable=False),
    Column("started_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger),
    Column("covered_until_us", BigInteger),
    Column("inputs", JSON, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("version", String(32), nullable=False),
    CheckConstraint(f"status IN {STATUSES}", name="runs_status"),
)

events = Table(
    "events",
    metadata,
    Column("id", _id, primary_key=True),
    Column("run_id", _id, ForeignKey("runs.id"), nullable=False),
    Column("event_key", String(64), nullable=False),
    Column("norad_id_1", BigInteger, nullable=False),
    Column("norad_id_2", BigInteger, nullable=False),
    Column("name_1", Text, nullable=False),
    Column("name_2", Text, nullable=False),
    Column("tca_us", BigInteger, nullable=False),
    Column("miss_km", Double, nullable=False),
    Column("rel_speed_km_s", Double, nullable=False),
    Column("co_moving", Boolean, nullable=False),
    Column("pc", Double),
    Column("payload", JSON, nullable=False),
    UniqueConstraint("run_id", "event_key", name="events_once_per_run"),
    Index("events_by_key", "event_key"),
    Index("events_by_pc", "run_id", "pc"),
)

maneuvers = Table(
    "maneuvers",
    metadata,
    Column("id", _id, primary_key=True),
    Column("norad_id", BigInteger, nullable=False),
    Column("start_us", BigInteger, nullable=False),
    Column("end_us", BigInteger, nullable=False),
    Column("epoch_us", BigInteger, nullable=False),
    Column("probability", Double, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("dv_r_m_s", Double),
    Column("dv_t_m_s", Double),
    Column("dv_n_m_s", Double),
    Column("dv_sigma_m_s", Double),
    Column("pattern", String(32), nullable=False),
    Column("method", Text, nullable=False),
    UniqueConstraint("norad_id", "start_us", "end_us", name="maneuvers_once"),
    Index("maneuvers_by_epoch", "epoch_us"),
)

maneuver_searches = Table(
    "maneuver_searches",
    metadata,
    Column("id", _id, primary_key=True),
    Column("norad_id", BigInteger, nullable=False),
    Column("search_key", String(64), nullable=False),
    Column("from_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=False),
    Column("searched_us", BigInteger, nullable=False),
    Column("words", Text, nullable=False),
    UniqueConstraint("norad_id", "search_key", name="maneuver_searches_once"),
)
