"""What the hub says when it cannot do its work."""

from gate.errors import GateError


class HubError(GateError):
    """The hub could not be started or used; one sentence with the remedy."""
