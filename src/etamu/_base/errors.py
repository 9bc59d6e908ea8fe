"""What can go wrong, by name: every error says the column, the value, the row and the remedy.

May import: nothing.
Read next: `etamu.api`, where users meet these.
"""

from __future__ import annotations


class EtamuError(Exception):
    """Anything etamu refuses to do."""


class DataError(EtamuError, ValueError):
    """The data cannot be used as asked: a column, a row or a value is named."""


class FormulaError(EtamuError, ValueError):
    """The formula cannot be read, or names something that is not there."""


class FamilyError(EtamuError, ValueError):
    """A family is unknown, inconsistent, or cannot describe the response."""


class LinkError(EtamuError, ValueError):
    """A link is unknown, not a link, or not one this family can have."""


class OptionError(EtamuError, ValueError):
    """An option has a value nobody understands, or contradicts another."""


class NotAvailableError(EtamuError, ValueError):
    """A quantity does not exist for this fit; the message says why."""


class SeparationError(EtamuError, ValueError):
    """No finite estimate exists, and on_separation='error' asked to be told so; what separates is named."""


class FileError(EtamuError, ValueError):
    """A file cannot be read or written, or is not what it should be; file and place are named."""


class EtamuWarning(UserWarning):
    """Something the user should know and the numbers alone do not say."""


class ConvergenceWarning(EtamuWarning):
    """The estimate is not a verified maximum; the message says why and what to do."""


class SeparationWarning(ConvergenceWarning):
    """No finite estimate exists: coefficients run away. They, their levels and rows are named."""


class AliasWarning(EtamuWarning):
    """Columns are linear combinations of earlier ones and have no estimate of their own."""


class DroppedRowsWarning(EtamuWarning):
    """Rows with missing values were left out of the fit."""


class DroppedLevelsWarning(EtamuWarning):
    """Declared levels of a factor do not occur in the rows used."""
