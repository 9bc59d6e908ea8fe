"""Generalized linear models, stated in eta."""

__version__ = "0.1.0"
