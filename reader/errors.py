"""The one error tree.

::

    NewsfoldError
    +-- UsageError        what was asked for makes no sense           (exit 2)
    +-- SourceError       a folder cannot be read                     (exit 3)
    +-- StoreError        a database cannot do what it must           (exit 4)
    |   +-- StoreBusy     another process holds it; try again
    |   +-- StoreReadOnly the disk is full or read-only: marks cannot be kept
    |   +-- StoreNewer    written by a newer newsfold
    |   +-- StoreDamaged  the file is not what was written
    |   +-- SearchStopped a search was stopped: somebody wants another
    +-- NotFound          no such article, topic or address           (exit 5)
    +-- LinkError         an address that will not be asked           (exit 6)
    +-- BrowserError      an address that could not be opened         (exit 7)

Every message is one clear sentence without a traceback; whoever shows it
still passes it through :func:`reader.text.clean`.
"""

from __future__ import annotations


class NewsfoldError(Exception):
    """Anything newsfold itself refuses or cannot do."""

    exit_code = 1


class UsageError(NewsfoldError):
    """The command line or a setting asks for something that makes no sense."""

    exit_code = 2


class SourceError(NewsfoldError):
    """A folder of articles cannot be read."""

    exit_code = 3


class StoreError(NewsfoldError):
    """A database cannot do what it must."""

    exit_code = 4


class StoreBusy(StoreError):
    """Another process holds the database; trying again may help."""


class StoreReadOnly(StoreError):
    """The database cannot be written: read-only, or the disk is full."""


class StoreNewer(StoreError):
    """The database was written by a newer newsfold."""


class StoreDamaged(StoreError):
    """The database file is not what was written."""


class SearchStopped(StoreError):
    """A search was stopped before it ended, because nobody waits for it any more."""


class NotFound(NewsfoldError):
    """No article, topic or address by that name."""

    exit_code = 5


class LinkError(NewsfoldError):
    """An address that will not be asked."""

    exit_code = 6


class BrowserError(NewsfoldError):
    """An address that could not be opened."""

    exit_code = 7
