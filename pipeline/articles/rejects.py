"""What is not an article: counted, named and, if asked, written down."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from pipeline.articles.writing import Replacement
from pipeline.errors import MirsadError

REASONS: dict[str, str] = {
    "empty": "There is no text.",
    "too_short": "The text has fewer words than the rules ask for.",
    "too_long": "The text, or the line it stands on, is longer than the rules allow.",
    "no_arabic": "Too few of its letters are Arabic.",
    "undecodable": "The bytes are not text in a known encoding; say which encoding it is if you know.",
    "binary": "The file holds bytes that no text file has (a picture, an archive, UTF-16 without its mark).",
    "malformed": "The row cannot be parsed.",
    "too_deep": "The JSON is nested too deeply to be an article.",
    "missing_text": "The row has no text column.",
    "duplicate_id": "An earlier article has the same id.",
    "broken_file": "The file is damaged or cut short; what could be read before the damage was read.",
    "bomb": "The file unpacks to far more than an archive of text would.",
    "unreadable": "The file cannot be opened.",
}

_EXCERPT = 120


def told(counts: Counter[str]) -> str:
    """What was left out: how many by reason, and on lines of their own what the reasons mean."""
    first = "Left out: " + ", ".join(f"{count:,} {reason}" for reason, count in counts.most_common()) + "."
    return "\n  ".join([first, *(f"{reason}: {REASONS[reason]}" for reason, _ in counts.most_common())])


@dataclass(frozen=True, slots=True)
class Reject:
    """One row or file that is not an article.

    Parameters
    ----------
    reason : str
        A key of ``REASONS``.
    detail : str
        What exactly was found, or "".
    id : str
        Its id where one was read.
    excerpt : str
        The beginning of the text, or "".
    """

    reason: str
    detail: str = ""
    id: str = ""
    excerpt: str = ""


class Rejects:
    """Collects what was left out of a run, in constant memory.

    Parameters
    ----------
    path : str or Path, optional
        Where to write one JSON object a reject (file, row, id, reason, detail, excerpt). The file appears when the
        collector is closed; none appears if nothing was rejected.

    Attributes
    ----------
    counts : collections.Counter
        Number of rejects by reason.
    articles : int
        Number of articles that were accepted.
    encodings : collections.Counter
        Number of files by encoding used.
    notes : list of str
        The first files that were not UTF-8, with their encoding and how it was recognized.
    """

    max_notes = 20

    def __init__(self, path: str | Path | None = None) -> None:
        self.path = Path(path) if path is not None else None
        if self.path is not None and not self.path.parent.is_dir():  # better now than at the first reject, hours later
            raise MirsadError(
                "its folder does not exist", where=str(path), hint="Make it, or name another file for rejects."
            )
        self.counts: Counter[str] = Counter()
        self.encodings: Counter[str] = Counter()
        self.notes: list[str] = []
        self.articles = 0
        self._file: Replacement | None = None

    @property
    def total(self) -> int:
        """Number of rejects."""
        return self.counts.total()

    def add(self, reject: Reject, *, file: str, row: int | None = None) -> None:
        """Count a reject and write it down if a file was asked for."""
        if reject.reason not in REASONS:
            raise ValueError(f"{reject.reason!r} is not a known reason")
        self.counts[reject.reason] += 1
        if self.path is None:
            return
        if self._file is None:
            self._file = Replacement(self.path)
        line = {
            "file": file,
            "row": row,
            "id": reject.id,
            "reason": reject.reason,
            "detail": reject.detail,
            "excerpt": reject.excerpt[:_EXCERPT],
        }
        data = json.dumps(line, ensure_ascii=False).encode("utf-8", errors="replace")
        self._file.stream.write(data + b"\n")

    def note_encoding(self, file: str, encoding: str, how: str) -> None:
        """Remember which encoding a file was read with."""
        self.encodings[encoding] += 1
        if encoding != "utf-8" and len(self.notes) < self.max_notes:
            self.notes.append(f"{file}: read as {encoding} ({how})")

    def summary(self) -> dict[str, object]:
        """Plain counts for a run's summary: articles, rejects by reason, files by encoding, notes."""
        return {
            "articles": self.articles,
            "rejected": self.total,
            "reasons": dict(self.counts.most_common()),
            "encodings": dict(self.encodings.most_common()),
            "notes": list(self.notes),
        }

    def close(self) -> None:
        """Give the file of rejects its final name."""
        if self._file is not None:
            self._file.commit()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The rejects of a run that failed are what its user wants to see: they are kept in either case.
        self.close()
