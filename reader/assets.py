"""Where ``styles/`` and ``sample_data/`` lie: in the installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

from reader.errors import SourceError

_PACKAGE = Path(__file__).resolve().parent


def styles() -> Path:
    """The folder of the screen's style sheets.

    Raises:
        SourceError: the installation lacks it.
    """
    return _folder("styles")


def sample() -> Path:
    """The folder of sample articles.

    Raises:
        SourceError: the installation lacks it.
    """
    return _folder("sample_data")


def _folder(name: str) -> Path:
    # A wheel carries the folder inside the package; a checkout has it next to the package.
    for folder in (_PACKAGE / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise SourceError(f"this installation of newsfold has no {name}: {_PACKAGE / name}")
