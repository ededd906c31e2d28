"""What a chip, or whoever wrote a file for the trust store, can do wrong."""

from gate.errors import GateError


class ChipFault(GateError):
    """A file is not what it should be; ``str()`` is one sentence that names the file and what is wrong with it."""
