"""One lane's runtime: it turns sensors, frames and messages into events, and effects into door commands, pictures and records."""
