"""Small designs of every kind of block, each beside the dense matrix it stands for."""

from __future__ import annotations

import numpy as np
import scipy.sparse

from etamu.design.blocks import Coded, Dense, Sparse

N = 23


def gallery():
    rng = np.random.default_rng(20)
    x = rng.normal(size=(N, 3)) * [1.0, 100.0, 0.01] + [0.0, 1e4, 3.0]
    codes = rng.integers(0, 4, N)
    number = rng.normal(size=N)
    matrix = scipy.sparse.random(N, 5, 0.3, format="csr", random_state=3)
    indicator = np.eye(4)[codes]
    ones, twos = np.ones(3), np.full(3, 2.0)
    return {
        "dense columns": (Dense((x[:, 0], x[:, 1], x[:, 2])), x),
        "dense 2-D": (Dense((x,)), x),
        "dense integer, float32 and strided": (
            Dense((codes, number.astype(np.float32), np.repeat(number, 2)[::2])),
            np.column_stack([codes, number.astype(np.float32), number]).astype(float),
        ),
        "dense shifted and scaled": (Dense((x,), ones, twos), (x - 1.0) / 2.0),
        "coded": (Coded(codes, 4), indicator),
        "coded with an empty level": (Coded(codes, 6), np.eye(6)[codes]),
        "coded times a number": (Coded(codes, 4, number), indicator * number[:, None]),
        "coded times a scaled number": (
            Coded(codes.astype(np.int8), 4, number, 4.0),
            indicator * number[:, None] / 4,
        ),
        "sparse": (Sparse(matrix), matrix.toarray()),
        "sparse scaled": (Sparse(matrix, np.full(5, 0.5)), matrix.toarray() * 2.0),
    }


GALLERY = gallery()
