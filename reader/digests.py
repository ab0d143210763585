"""SHA-256 and BLAKE2 without OpenSSL. Standard library only.

:mod:`hashlib` loads OpenSSL beside the functions that Python brings along: 4 MB for two
digests. As :mod:`random` does, Python's own are taken where they are, else hashlib's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["blake2b", "sha256"]

if TYPE_CHECKING:
    from hashlib import blake2b, sha256
else:
    try:
        from _blake2 import blake2b
    except ImportError:
        from hashlib import blake2b
    try:
        from _sha2 import sha256
    except ImportError:
        try:
            from _sha256 import sha256  # until Python 3.11
        except ImportError:
            from hashlib import sha256
