"""Clustered covariances from each cluster's score and information alone, never from its residuals.

May import: numpy, `etamu._base`, `etamu.infer`.
Read next: `etamu.fit.clusters`, which adds up the two over the rows of each cluster.

Everything here is whitened: with bread M = L L', z_g = L's_g and T_g = L'X_g'W_gX_g L, whose
eigenvalues t in [0, 1] are the leverages of cluster g.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.infer.robust import remaining

POWERS = {"CR2": -0.5, "CR3": -1.0}
"""f(t) = (1 - t)^power; CR2 Bell and McCaffrey (2002), CR3 the jackknife."""


@dataclass(frozen=True, slots=True, eq=False)
class ByCluster:
    """Sums over the rows of each cluster; adding merges the clusters by their keys.

    Parameters
    ----------
    keys : integers (G,)
        Codes of the clusters met so far, ascending.
    scores : array (G, p)
        s_g.
    grams : array (G, p, p), optional
        X_g'W_gX_g, in the coordinates of the scores.
    """

    keys: NDArray[np.integer[Any]]
    scores: Array
    grams: Array | None = None

    def __add__(self, other: ByCluster) -> ByCluster:
        keys = np.union1d(self.keys, other.keys)
        mine, theirs = np.searchsorted(keys, self.keys), np.searchsorted(keys, other.keys)

        def merged(left: Array, right: Array) -> Array:
            out = np.zeros((len(keys), *left.shape[1:]))
            out[mine] = left
            out[theirs] += right
            return out

        grams = None
        if self.grams is not None and other.grams is not None:
            grams = merged(self.grams, other.grams)
        return ByCluster(keys, merged(self.scores, other.scores), grams)


@dataclass(frozen=True, slots=True, eq=False)
class Spectra:
    """Whitened scores z_g, (G, p), and the spectra of T_g: values (G, p), vectors (G, p, p)."""

    scores: Array
    values: Array
    vectors: Array

    def slices(self, size: int) -> Iterator[Spectra]:
        """Yield a few clusters at a time."""
        for start in range(0, len(self.scores), size):
            part = slice(start, start + size)
            yield Spectra(self.scores[part], self.values[part], self.vectors[part])


def spectra(scores: Array, grams: Array) -> Spectra:
    """Decompose the whitened information T_g of each cluster."""
    values, vectors = np.linalg.eigh(grams)
    return Spectra(scores, np.clip(values, 0.0, 1.0), vectors)


def adjusted(clusters: Spectra, power: float) -> Array:
    """Compute f(T_g) z_g, (G, p): the score of each cluster freed of its pull on the fit.

    L^-T f(T_g) L's_g is X_g'W_g^{1/2} (I - H_gg)^power applied to the Pearson residuals of cluster g,
    H_gg its block of the hat matrix, because Z'f(ZZ') = f(Z'Z)Z'. For power -1/2 the covariance is
    unbiased if the working model holds (Bell and McCaffrey 2002; Pustejovsky and Tipton 2018).

    Examples
    --------
    >>> one = spectra(np.array([[2.0]]), np.array([[[0.75]]]))
    >>> adjusted(one, POWERS["CR2"]), adjusted(one, POWERS["CR3"])
    (array([[4.]]), array([[8.]]))
    """
    along = np.matmul(clusters.vectors.transpose(0, 2, 1), clusters.scores[:, :, None])
    factor = remaining(clusters.values, power)[:, :, None]
    return np.asarray(np.matmul(clusters.vectors, along * factor)[:, :, 0])


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """How a CR2 variance spreads under the working model, for m contrasts; sums over clusters add.

    The variance of contrast c is a sum of squares p_g'e over clusters with e of unit variance. With
    P_gh = p_g'p_h = d_g [g = h] - r_g'r_h it has mean tr P and variance 2 tr P^2.

    Parameters
    ----------
    trace : array (m,)
        tr P.
    square : array (m,)
        Sum of d_g^2 - 2 d_g r_g'r_g.
    inner : array (m, p, p)
        Sum of r_g r_g'.
    """

    trace: Array
    square: Array
    inner: Array

    def __add__(self, other: Spread) -> Spread:
        return Spread(self.trace + other.trace, self.square + other.square, self.inner + other.inner)

    def df(self) -> Array:
        """Return Satterthwaite's degrees of freedom, (tr P)^2 / tr P^2; NaN where nothing is left."""
        with np.errstate(all="ignore"):
            return np.asarray(self.trace**2 / (self.square + np.sum(self.inner**2, axis=(1, 2))))


def spread(clusters: Spectra, contrasts: Array, power: float = POWERS["CR2"]) -> Spread:
    """Sum the spread of the variance of each contrast over clusters (Bell and McCaffrey 2002, section 4).

    Parameters
    ----------
    clusters : Spectra
    contrasts : array (m, p)
        Rows L'c; their length does not matter.
    power : float
    """
    size = np.linalg.norm(contrasts, axis=1, keepdims=True)
    unit = contrasts / np.where(size > 0, size, 1.0)
    values = clusters.values[:, :, None]
    along = np.matmul(clusters.vectors.transpose(0, 2, 1), unit.T)
    freed = along * remaining(values, power)
    pulled = values * freed
    d, r = np.sum(freed * pulled, axis=1), np.sum(pulled**2, axis=1)
    rows = np.matmul(clusters.vectors, pulled)
    inner = np.matmul(rows.transpose(2, 1, 0), rows.transpose(2, 0, 1))
    return Spread(np.sum(d - r, axis=0), np.sum(d * (d - 2.0 * r), axis=0), inner)
