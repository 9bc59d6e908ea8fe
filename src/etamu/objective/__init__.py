"""Objectives that a solver can ask: an executor, a unit and coordinates made into an oracle."""
