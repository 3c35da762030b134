"""Run by Alembic: apply the migrations on the connection that `Store.migrate` hands over."""

from alembic import context

from gridlib.adapters import tables

# Alembic runs this file with `context.config` set; a tool that only imports it finds nothing to do.
if hasattr(context, "config"):
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=tables.metadata,
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()
