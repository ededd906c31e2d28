"""Scans of inspection machines at the hub: kept by digest, matched to a case, or left for an officer to attach."""
