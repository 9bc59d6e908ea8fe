"""The data sets that come with the package are the published ones."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from etamu import datasets
from tests import oracle


def test_budworms_are_the_reference_s():
    ours, theirs = datasets.budworms().columns, oracle.table("budworm")
    np.testing.assert_array_equal(ours["dead"], theirs["numdead"])
    np.testing.assert_array_equal(ours["moths"], theirs["n"])
    np.testing.assert_array_equal(ours["log2_dose"], theirs["ldose"])
    np.testing.assert_array_equal([sex[0].upper() for sex in ours["sex"]], theirs["sex"])


def test_ships_are_the_reference_s():
    ours, theirs = datasets.ships().columns, oracle.table("ships")
    np.testing.assert_array_equal(ours["type"], theirs["type"])
    np.testing.assert_array_equal([built[2:4] for built in ours["built"]], theirs["year"])
    np.testing.assert_array_equal(
        [period[-5:] == "75-79" for period in ours["period"]], theirs["period"] == "75"
    )
    np.testing.assert_array_equal(ours["months"], theirs["service"])
    np.testing.assert_array_equal(ours["incidents"], theirs["incidents"])


@pytest.mark.parametrize("name", datasets.DATASETS)
def test_every_data_set_names_its_source(name):
    dataset = datasets.load(name)
    assert dataset.name == name
    assert dataset.source
    assert len({len(column) for column in dataset.columns.values()}) == 1


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(em.OptionError, match="budworms, ships"):
        datasets.load("iris")
