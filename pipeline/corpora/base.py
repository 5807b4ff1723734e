"""What a public corpus is: where its archive lies, how it is checked, how its articles are read."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pipeline.articles.article import Article
from pipeline.articles.cleaning import clean as clean_page
from pipeline.corpora.archive import Member, content_sha256, file_sha256, members
from pipeline.errors import CorpusError

FOLDER_VARIABLE = "MIRSAD_CORPORA"


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """One public corpus, pinned to a commit of its repository.

    Parameters
    ----------
    name : str
        The short name that commands and configs use.
    about : str
        What it holds, in a sentence.
    repository : str
        Owner and name at GitHub.
    commit : str
        Forty hexadecimal digits.
    sha256 : str
        Of an archive cut to the data files.
    content_sha256 : str
        Of the data files alone, so that the host's own archive of the commit is recognized too.
    size : int
        Bytes of the archive that ``sha256`` belongs to.
    count : int
        Articles in it that have a text.
    licence, citation : str
    data : re.Pattern
        Which members of the archive are data files. A group ``id`` is the article's id.
    parse : callable
        Gives the articles of one data file.
    pages : bool
        Whether its articles are pages, from which noise is removed; tweets and headlines are not.
    folder : Path, optional
        Where archives lie already. None: the folder that the environment's ``MIRSAD_CORPORA`` names, then the user's
        cache.
    download : bool
        Whether the archive may be fetched when it is nowhere.
    """

    name: str
    about: str
    repository: str
    commit: str
    sha256: str
    content_sha256: str
    size: int
    count: int
    licence: str
    citation: str
    data: re.Pattern[str]
    parse: Callable[[Member], Iterator[Article]]
    pages: bool = True
    folder: Path | None = None
    download: bool = False

    @property
    def address(self) -> str:
        """Where the host serves the archive of the commit."""
        return f"https://github.com/{self.repository}/archive/{self.commit}.tar.gz"

    @property
    def file_name(self) -> str:
        """What the archive is called."""
        return f"{self.repository.partition('/')[2]}-{self.commit}.tar.gz"

    def path(self) -> Path:
        """Find the archive, fetch it if that was asked for, and check it.

        Returns
        -------
        Path

        Raises
        ------
        CorpusError
            It is absent, cannot be fetched, or is not what the checksums say.
        """
        for folder in self._folders():
            path = folder / self.file_name
            if path.is_file():
                self.verify(path)
                return path
        if not self.download:
            raise CorpusError(
                f"the corpus {self.name!r} is not here: looked for {self.file_name} in "
                + " and ".join(str(folder) for folder in self._folders()),
                hint=f"Fetch it: mirsad corpora get {self.name}. Or set {FOLDER_VARIABLE} to a folder that has it.",
            )
        return self._fetch()

    def verify(self, path: Path) -> None:
        """Check an archive against the pinned checksums.

        Raises
        ------
        CorpusError
            Neither the archive nor the data files in it are what was pinned.
        """
        stat = path.stat()
        if not _is_genuine(self.sha256, self.content_sha256, self.data, path, stat.st_size, stat.st_mtime_ns):
            raise CorpusError(
                f"is not the archive of {self.repository} at {self.commit[:12]}: its data files have another SHA-256",
                where=str(path),
                hint=f"Remove it and fetch it again: mirsad corpora get {self.name}",
            )

    def articles(self, *, ids: Collection[str] | None = None, clean: bool = True) -> Iterator[Article]:
        """Read the articles, in the archive's order.

        Parameters
        ----------
        ids : collection of str, optional
            Only these; others are not parsed.
        clean : bool
            Whether page noise is removed.

        Yields
        ------
        Article
            Only those that have a text.
        """
        wanted = frozenset(ids) if ids is not None else None
        by_file = wanted if "id" in self.data.groupindex else None
        for member in members(self.path(), self.data, wanted=by_file):
            for article in self.parse(member):
                if wanted is not None and article.id not in wanted:
                    continue
                if clean and self.pages:
                    article.title, article.text = clean_page(article.title, article.text)
                if article.text and not article.text.isspace():
                    yield article

    def _folders(self) -> list[Path]:
        if self.folder is not None:
            return [self.folder]
        named = os.environ.get(FOLDER_VARIABLE)
        return [*([Path(named)] if named else []), _cache()]

    def _fetch(self) -> Path:
        import pooch

        folder = self.folder or _cache()
        try:
            # The host may pack the same commit anew, so the data files are checked instead of the archive.
            fetched = pooch.retrieve(self.address, known_hash=None, fname=self.file_name, path=folder)
        except Exception as error:  # whatever the network layer raises, the user can do the same about it
            raise CorpusError(
                f"could not be fetched: {error}",
                where=self.address,
                hint=f"Put it into a folder as {self.file_name}, and set {FOLDER_VARIABLE} to that folder.",
            ) from error
        path = Path(fetched)
        try:
            self.verify(path)
        except CorpusError:
            path.unlink(missing_ok=True)
            raise
        return path


def _cache() -> Path:
    import pooch

    return Path(pooch.os_cache("mirsad"))


@lru_cache(maxsize=32)
def _is_genuine(sha256: str, content: str, data: re.Pattern[str], path: Path, size: int, mtime_ns: int) -> bool:
    """Check an archive once for each version of it."""
    return file_sha256(path) == sha256 or content_sha256(path, data) == content


def decode(member: Member) -> str:
    """Decode a data file: UTF-8, or the old encoding that it is recognized to be in."""
    from pipeline.articles.decoding import detect

    try:
        return member.data.decode("utf-8-sig")
    except UnicodeDecodeError:
        encoding, _ = detect(member.data, complete=True) or ("utf-8", "")
        return member.data.decode(encoding, errors="replace")
