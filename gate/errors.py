"""The one exception a command may show to a person."""


class GateError(Exception):
    """Something could not be done; ``str(error)`` is one sentence that names the thing and the remedy."""
