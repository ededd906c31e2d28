"""The single window: what carriers, travellers and agents say in advance is said once, and every agency has it."""
