"""Pure rules of the trade: frame in, frame out; no file, clock, network, database or settings."""
