"""The row of lanes, drawn in the browser."""
