"""Propagation: SGP4 for whole catalogues, numerical integration, interpolated ephemerides."""
