"""A matrix in four bytes an entry."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from pipeline.packed import SECTION, Packed


def test_two_rows_by_hand():
    X = sparse.csr_matrix(([0.5, -1.0, 2.0], ([0, 0, 1], [3, SECTION + 7, 0])), shape=(2, SECTION + 10))
    packed = Packed.of([X], 2)
    assert packed.shape == X.shape
    assert packed.starts.tolist() == [0, 1, 2, 3, 3]  # two sections a row
    assert packed.columns.tolist() == [3, 7, 0]
    assert packed.values.tolist() == [16384, -32767, 32767]
    assert packed.scale.tolist() == pytest.approx([1 / 32767, 2 / 32767])


def test_rows_come_back_as_they_went_in():
    parts = [sparse.random(n, 3 * SECTION, density=0.001, random_state=n, format="csr") for n in (5, 1, 20)]
    parts.insert(1, sparse.csr_matrix((2, 3 * SECTION)))  # articles without any n-gram that is known
    parts[0].data *= -3
    whole = sparse.vstack(parts, format="csr")
    packed = Packed.of(iter([part.copy() for part in parts]), 28)
    assert packed.columns.nbytes + packed.values.nbytes == 4 * whole.nnz
    rows = np.array([27, 0, 6, 6, 3])
    found = packed.csr(rows)
    assert (found.indices == whole[rows].indices).all()
    np.testing.assert_allclose(found.toarray(), whole[rows].toarray(), atol=3 / 65_534)


def test_parts_of_any_length_make_the_same_rows():
    X = sparse.random(50, 400, density=0.1, random_state=1, format="csr")
    X.data[X.indptr[30] :] *= 7
    one = Packed.of([X.copy()], 50)
    several = Packed.of([X[start : start + 7] for start in range(0, 50, 7)], 50)
    for name in ("starts", "columns", "values", "scale"):
        assert (getattr(one, name) == getattr(several, name)).all()
