"""Page noise out of real news, by named rules."""

from __future__ import annotations


def clean(title: str, text: str) -> tuple[str, str]:
    """Remove page noise from an article.

    Parameters
    ----------
    title, text : str

    Returns
    -------
    title, text : str
        Without runs of blanks and empty lines.
    """
    lines = (" ".join(line.split()) for line in text.splitlines())
    return " ".join(title.split()), "\n".join(line for line in lines if line)
