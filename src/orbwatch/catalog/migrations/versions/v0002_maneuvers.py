"""Maneuvers found, and which histories of objects have been searched for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    row_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "maneuvers",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("norad_id", sa.BigInteger, nullable=False),
        sa.Column("start_us", sa.BigInteger, nullable=False),
        sa.Column("end_us", sa.BigInteger, nullable=False),
        sa.Column("epoch_us", sa.BigInteger, nullable=False),
        sa.Column("probability", sa.Double, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("dv_r_m_s", sa.Double),
        sa.Column("dv_t_m_s", sa.Double),
        sa.Column("dv_n_m_s", sa.Double),
        sa.Column("dv_sigma_m_s", sa.Double),
        sa.Column("pattern", sa.String(32), nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.UniqueConstraint("norad_id", "start_us", "end_us", name="maneuvers_once"),
    )
    op.create_index("maneuvers_by_epoch", "maneuvers", ["epoch_us"])
    op.create_table(
        "maneuver_searches",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("norad_id", sa.BigInteger, nullable=False),
        sa.Column("search_key", sa.String(64), nullable=False),
        sa.Column("from_us", sa.BigInteger, nullable=False),
        sa.Column("until_us", sa.BigInteger, nullable=False),
        sa.Column("searched_us", sa.BigInteger, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.UniqueConstraint("norad_id", "search_key", name="maneuver_searches_once"),
    )
