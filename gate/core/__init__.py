"""The pure core of a gate: standard library only, no input or output, time only through a clock that is handed in."""
