"""The one exception of this package that a user may see."""


class ModelError(Exception):
    """A model is missing, corrupt or unusable; ``str()`` is one sentence naming it and the remedy."""
