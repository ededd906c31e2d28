"""What can go wrong with the console before anybody sees a screen."""

from gate.errors import GateError


class CatalogueError(GateError):
    """The officers' sentences are not complete, so that some screen would be silent."""
