"""Error messages, tested by the words that matter in them."""

import re
from typing import Any

import pytest


def says(error: type[Exception], *words: str) -> Any:
    """A context in which an error of that type must be raised, with all the words in its message."""
    pattern = "(?s)" + "".join(f"(?=.*{re.escape(word)})" for word in words)
    return pytest.raises(error, match=pattern)
