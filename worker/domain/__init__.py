"""Pure values and decisions of the engine: standard library only, no I/O, no client, no clock of its own."""
