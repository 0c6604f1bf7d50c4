"""Run by Alembic inside the transaction that `orbwatch.catalog.store` has opened."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
