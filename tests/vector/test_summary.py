"""The summary of several predictors: a block for each, as text and as HTML."""

from __future__ import annotations

from tests.vector.test_relations import multinomial


def test_the_summary_has_a_block_for_each_predictor_and_is_html_too():
    fit = multinomial()
    text, page = str(fit.summary()), fit._repr_html_()
    for words in (
        "middle (log odds against low):",
        "high (log odds against low):",
        "Log-likelihood",
        "converged",
    ):
        assert words in text
        assert words in page
    assert "HC1" in str(fit.with_covariance("HC1").summary())
    assert "CR1" in str(fit.with_covariance("CR1", cluster="k").summary())
    assert repr(fit) == text
