"""Secrets out of a line before anybody keeps it: passwords, comm keys, templates, pictures (invariant 7)."""

import re

_SECRET = re.compile(
    r"(?i)\b(pass(?:wd|word)?|compwd|comkey|authkey|pushcommkey|mpasswd|template|tmp|content|token|cookie)(\s*=\s*)[^\t,&\n]*"
)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{48,}={0,2}")  # what is longer than any name or number of ours is a template


def without_secrets(text: str) -> str:
    """The line, with what may not be kept put out."""
    return _BASE64.sub("[…]", _SECRET.sub(r"\1\2[…]", text))
