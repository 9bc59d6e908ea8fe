from __future__ import annotations

import inspect

import pytest

from etamu._base import errors

ERRORS = [e for _, e in inspect.getmembers(errors, inspect.isclass) if issubclass(e, errors.EtamuError)]
WARNINGS = [w for _, w in inspect.getmembers(errors, inspect.isclass) if issubclass(w, Warning)]


@pytest.mark.parametrize("error", [e for e in ERRORS if e is not errors.EtamuError])
def test_every_refusal_is_a_value_error_and_etamus_own(error):
    assert issubclass(error, ValueError)
    assert error.__doc__


@pytest.mark.parametrize("warning", WARNINGS)
def test_every_warning_can_be_filtered_as_etamus_own(warning):
    assert issubclass(warning, errors.EtamuWarning)
    assert issubclass(warning, UserWarning)
