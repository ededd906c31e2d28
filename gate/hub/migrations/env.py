"""Run by Alembic; the connection is handed in by :meth:`gate.hub.store.Store.migrate`."""

from alembic import context

import gate.hub.flow_schema
import gate.hub.marks
import gate.hub.scans.schema
import gate.hub.window.schema  # noqa: F401  so are these
from gate.hub.schema import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
