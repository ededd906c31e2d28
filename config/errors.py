"""What can be wrong with a configuration."""


class ConfigError(Exception):
    """The configuration cannot be used; ``str(error)`` is one sentence that names the file, the key and the remedy."""
