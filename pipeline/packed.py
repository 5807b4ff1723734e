"""Rows of features in four bytes an entry: half of what a sparse matrix of single precision takes.

Training on many articles holds one matrix, which is nearly all that it holds. A column takes two bytes, as its distance
from the start of a section of 65,536 columns; a value two more, as a share of the row's largest: it is off by a
65,534th of that at most.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

SECTION = 1 << 16
LARGEST = (1 << 15) - 1


@dataclass
class Packed:
    """A sparse matrix in small pieces.

    Attributes
    ----------
    shape : tuple of (int, int)
    starts : ndarray of shape (n_rows * n_sections + 1,), int64
        Where the entries of each row's sections start.
    columns : ndarray of uint16
        Of each entry, counted from the start of its section.
    values : ndarray of int16
    scale : ndarray of shape (n_rows,), float32
        What a value of 1 stands for in each row.
    """

    shape: tuple[int, int]
    starts: NDArray[np.int64]
    columns: NDArray[np.uint16]
    values: NDArray[np.int16]
    scale: NDArray[np.float32]

    @classmethod
    def of(cls, parts: Iterable[csr_matrix], n_rows: int) -> Packed:
        """Pack parts of a matrix, one below the other, each let go of before the next is asked for."""
        columns, values = np.empty(0, np.uint16), np.empty(0, np.int16)
        starts, scales = [np.zeros(1, np.int64)], []
        filled = done = width = 0
        for part in parts:
            part.sort_indices()
            rows, width = part.shape
            done += rows
            if filled + part.nnz > len(values):
                # room for all rows at the present mean and a fifth more: what is not written to takes no memory
                size = int(1.2 * (filled + part.nnz) / done * n_rows) + part.nnz
                columns, values = _moved(columns[:filled], size), _moved(values[:filled], size)
            counts = np.diff(part.indptr)
            largest = np.zeros(rows, part.dtype)
            largest[counts > 0] = np.maximum.reduceat(np.abs(part.data), part.indptr[:-1][counts > 0])
            scale = (largest / LARGEST).astype(np.float32)
            shares = part.data / np.repeat(np.where(largest > 0, largest, 1) / LARGEST, counts)
            columns[filled : filled + part.nnz] = part.indices % SECTION
            values[filled : filled + part.nnz] = np.rint(shares)
            sections = -(-width // SECTION)
            section = np.repeat(np.arange(rows) * sections, counts) + part.indices // SECTION
            starts.append(filled + np.cumsum(np.bincount(section, minlength=rows * sections)))
            scales.append(scale)
            filled += part.nnz
        columns.resize(filled, refcheck=False)
        values.resize(filled, refcheck=False)
        return cls((done, width), np.concatenate(starts), columns, values, np.concatenate(scales))

    def csr(self, rows: NDArray[np.int64]) -> csr_matrix:
        """Some rows as a matrix of single precision."""
        from scipy.sparse import csr_matrix

        sections = -(-self.shape[1] // SECTION)
        bounds = self.starts[:: max(sections, 1)]
        counts = np.diff(bounds)[rows]
        ends = np.concatenate([[0], np.cumsum(counts)])
        entries = np.arange(ends[-1]) + np.repeat(bounds[:-1][rows] - ends[:-1], counts)
        section = np.searchsorted(self.starts, entries, side="right") - 1
        indices = self.columns[entries].astype(np.int32) + (section % sections * SECTION).astype(np.int32)
        data = self.values[entries] * np.repeat(self.scale[rows], counts)
        return csr_matrix((data, indices, ends), shape=(len(rows), self.shape[1]))


def _moved(values: NDArray[Any], size: int) -> NDArray[Any]:
    larger = np.empty(size, values.dtype)
    larger[: len(values)] = values
    return larger
