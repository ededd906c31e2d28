"""Risk rules: data in a safe expression language, over named facts, with their tests beside them. Pure."""
