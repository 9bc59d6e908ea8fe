"""The version of etamu, written into every model file.

May import: nothing.
Read next: `etamu.fit.store`, which writes it.
"""

__version__ = "0.1.0"
"""As in pyproject.toml; a test holds them equal."""
