"""What everybody agrees on: errors, units, types, settings and the tables of data."""
