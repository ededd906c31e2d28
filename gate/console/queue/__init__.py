"""The queue of a role's screen: an element with a script of its own."""
