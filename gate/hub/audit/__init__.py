"""The record that nobody can change unseen: a Merkle-tree log (RFC 6962) of what the hub and its officers did."""
