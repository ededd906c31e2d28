"""The hub's upkeep of the watchlist: entries in the database, the signed snapshot that lanes fetch, the hub's own search."""
