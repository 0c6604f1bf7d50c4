"""Simulated catalogues, truth and sensors: deterministic per seed, always labelled simulated."""
