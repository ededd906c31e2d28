"""Chips of electronic passports: channels to them, access, secure messaging, reading, proofs that a chip is no copy."""
