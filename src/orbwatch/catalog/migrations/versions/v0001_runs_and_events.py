"""Runs and their events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    row_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "runs",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("run_key", sa.String(64), nullable=False, unique=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("started_us", sa.BigInteger, nullable=False),
        sa.Column("ended_us", sa.BigInteger),
        sa.Column("covered_until_us", sa.BigInteger),
        sa.Column("inputs", sa.JSON, nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("version", sa.String(32), nullable=False),
        sa.CheckConstraint("status IN ('running', 'done', 'interrupted', 'failed')", name="runs_status"),
    )
    op.create_table(
        "events",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("run_id", row_id, sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("event_key", sa.String(64), nullable=False),
        sa.Column("norad_id_1", sa.BigInteger, nullable=False),
        sa.Column("norad_id_2", sa.BigInteger, nullable=False),
        sa.Column("name_1", sa.Text, nullable=False),
        sa.Column("name_2", sa.Text, nullable=False),
        sa.Column("tca_us", sa.BigInteger, nullable=False),
        sa.Column("miss_km", sa.Double, nullable=False),
        sa.Column("rel_speed_km_s", sa.Double, nullable=False),
        sa.Column("co_moving", sa.Boolean, nullable=False),
        sa.Column("pc", sa.Double),
        sa.Column("payload", sa.JSON, nullable=False),
        sa.UniqueConstraint("run_id", "event_key", name="events_once_per_run"),
    )
    op.create_index("events_by_key", "events", ["event_key"])
    op.create_index("events_by_pc", "events", ["run_id", "pc"])
