"""Electronic travel documents: files of the logical data structure, the trust store, passive authentication.

Source: ICAO Doc 9303, 8th edition, parts 10 (logical data structure), 11 (security mechanisms) and 12 (public key infrastructure).
What a chip or a file says wrong is a :class:`gate.checks.emrtd.faults.ChipFault`; what it proves or fails to prove is a result.
"""
