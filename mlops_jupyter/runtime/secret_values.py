"""Recognize secrets, so that no file holds one: by what holds it is called, by its form, or because its value is known.

A value is known if an environment variable holds it that the pipeline names as a secret, or whose own name says so. It
is searched for in the encodings in which programs write text; compression or encryption hide it.

The decisions behind it: ARCHITECTURE.md, "Bundle".
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import sys
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

CLEAR = "password|passwd|passphrase|secret|api[_-]?key|access[_-]?key|private[_-]?key|auth[_-]?key"
"""Words that mean a secret wherever they stand in a name."""


def _as_a_word(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?:^|[_.-])(?:{words})(?:[_.-]|$|\d)", re.IGNORECASE)


NAMES = _as_a_word(f"{CLEAR}|pwd|token|credentials?|authorization")
"""Names of secrets, as a whole word of a name: `db_password`, not `tokens` or `keyword`."""

UNMISTAKABLE = _as_a_word(rf"{CLEAR}|(?:api|access|auth|bearer|refresh|hf|github)[_-]?token")
"""Those names that can hardly mean something else; a plain `token` may be a word of a text."""

FORMS = re.compile(
    r"AKIA[0-9A-Z]{16}|gh[pousr]_[0-9A-Za-z]{36}|github_pat_\w{22,}|glpat-[\w-]{20}|xox[abpr]-[\w-]{10,}|"
    r"sk-[\w-]{20,}|AIza[\w-]{35}|hf_[0-9A-Za-z]{30,}|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.|"
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\w+://[^\s:/@]+:[^\s:/@]+@"
)
"""Tokens of AWS, GitHub, GitLab, Slack, OpenAI, Google, Hugging Face; JSON Web Tokens; keys; passwords in addresses."""

SIGNS = ("AKIA", "gh", "github_pat_", "glpat-", "xox", "sk-", "AIza", "hf_", "eyJ", "-----BEGIN", "://")
"""One of these stands in each text that `FORMS` finds; to look for them is quick."""

WORDS = ("pass", "pwd", "secret", "token", "key", "credential", "authorization")
"""One of these, in lower case, stands in each name that `NAMES` finds."""

PLACEHOLDERS = frozenset({"", "none", "changeme", "password", "secret", "token", "todo", "xxx", "***"})
"""Texts, in lower case, that stand where a secret is to be filled in."""

DISTINCT = re.compile(r"(?s)(?=.*[^\W\d_])(?=.*[\W\d_]).{6,}|.{16,}").fullmatch
"""Match a text that can be searched for: a shorter one, a word or a number would be found where it is not meant."""

MASK = "***"


def looks_like_one(name: str, text: str) -> bool:
    """Return whether a value looks like a secret, by its name or by its own form.

    Examples
    --------
    >>> looks_like_one("db_password", "x7Kq"), looks_like_one("tokens", "a b"), looks_like_one("url", "pg://me:x7Kq@db")
    (True, False, True)
    """
    return bool(FORMS.search(text)) or (bool(NAMES.search(name)) and text.strip().lower() not in PLACEHOLDERS)


def is_called_secret(name: str) -> bool:
    """Return whether what is called so can hardly be anything but a secret."""
    return UNMISTAKABLE.search(name) is not None


LITERALS = re.compile(
    r"""(?P<name>[\w.-]+)(?P<between>["']?\]?\s*(?:=|:|,)\s*[rbuRBU]{0,2})(?:(?P<quote>["'])(?P<text>[^"'\n]+)(?P=quote)|"""
    r"""(?<=[A-Z_]=)(?P<bare>[^\s"']+))"""
)
"""Texts in code that a name, a keyword or a key stands before; also without quotes after `=`, as in `%env KEY=text`."""


def masked_literals(source: str) -> str:
    """Return code with `MASK` in place of texts that look like secrets, by what they are called or by their form.

    Examples
    --------
    >>> masked_literals('login(user="me", password="x7Kq")'), masked_literals('os.environ["API_KEY"] = "x7Kq"')
    ('login(user="me", password="***")', 'os.environ["API_KEY"] = "***"')
    """
    lower = source.lower()
    if any(word in lower for word in WORDS):
        source = LITERALS.sub(_masked_literal, source)
    return FORMS.sub(MASK, source) if any(sign in source for sign in SIGNS) else source


def _masked_literal(found: re.Match[str]) -> str:
    if not looks_like_one(found["name"], found["text"] or found["bare"]):
        return found[0]
    quote_ = found["quote"] or ""
    return f"{found['name']}{found['between']}{quote_}{MASK}{quote_}"


class KnownSecrets:
    """Values that no file may hold, with the name of what each was read from. Answers questions; never changes.

    Parameters
    ----------
    values : (name, value); of an address, its password counts, too. What is not `DISTINCT` is left out.

    Examples
    --------
    >>> known = KnownSecrets([("TOKEN", "x7Kq-92fa")])
    >>> known.held_by(base64.b64encode(b"user:x7Kq-92fa")), known.held_by(b"nothing"), known.masked("Bearer x7Kq-92fa!")
    ('TOKEN', '', 'Bearer ***!')
    """

    def __init__(self, values: Iterable[tuple[str, str]]) -> None:
        texts = ((name, text) for name, value in values for text in (value, *_password(value)))
        self._names = {text: name for name, text in texts if DISTINCT(text)}

    @classmethod
    def of_environment(cls, declared: Iterable[str] = ()) -> KnownSecrets:
        """Return the secrets that environment variables hold; see `in_environment`."""
        return cls(in_environment(declared))

    def __bool__(self) -> bool:
        return bool(self._names)

    def held_by(self, data: bytes) -> str:
        """Return the name of a secret whose value some bytes hold, in whatever encoding; "" if they hold none."""
        return next((name for spelling, name in self._spellings.items() if spelling in data), "")

    def masked(self, text: str) -> str:
        """Return a text with `MASK` in place of each secret."""
        return self._pattern.sub(MASK, text) if self._names else text

    def masked_bytes(self, data: bytes) -> bytes:
        """Return bytes, as a program printed them, with `MASK` in place of each secret."""
        if not self.held_by(data):
            return data
        return self.masked(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")

    @cached_property
    def _spellings(self) -> dict[bytes, str]:
        return {spelling: name for text, name in self._names.items() for spelling in _spellings(text)}

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        texts = {s.decode("utf-8", "surrogateescape") for s in self._spellings if b"\0" not in s}
        return re.compile("|".join(re.escape(text) for text in sorted(texts, key=len, reverse=True)))


NO_SECRETS = re.compile(r"PWD$|.*_(FILE|PATH|DIR)$", re.IGNORECASE).match
"""Match the names of environment variables that only sound like secrets: the working directory, where a secret lies."""


def in_environment(declared: Iterable[str] = ()) -> list[tuple[str, str]]:
    """Return (name, value) of each environment variable that holds a secret.

    Parameters
    ----------
    declared : names of variables that hold secrets, whatever they are called.
    """
    names = set(declared)
    return [(name, value) for name, value in os.environ.items() if is_secret_variable(name, value, names)]


def is_secret_variable(name: str, value: str, declared: Container[str]) -> bool:
    """Return whether an environment variable holds a secret."""
    return name in declared or (looks_like_one(name, value) and not NO_SECRETS(name))


def _password(text: str) -> Iterator[str]:
    """Yield the password of an address such as `postgresql://me:password@host/db`, as written and as meant."""
    if "://" in text and "@" in text:
        try:
            password = urlsplit(text).password
        except ValueError:
            return
        if password:
            yield password
            yield unquote(password)


def _spellings(text: str) -> Iterator[bytes]:
    """Yield the bytes by which programs write a text: encoded, quoted, in hex, in base64 at the three places."""
    raw = text.encode("utf-8", "surrogatepass")
    yield from (raw, text.encode("utf-16-le", "surrogatepass"), text.encode("utf-32-le", "surrogatepass"))
    quoted = (json.dumps(text), json.dumps(text, ensure_ascii=False), repr(text), ascii(text))
    yield from (each[1:-1].encode("utf-8", "surrogatepass") for each in quoted)
    yield from (quote(raw, safe="").encode(), quote(raw).encode(), quote_plus(raw).encode())
    yield from (raw.hex().encode(), raw.hex().upper().encode())
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + raw)
        start = (before * 8 + 5) // 6  # the first character that the bytes before have no part in
        end = (before + len(raw)) * 8 // 6
        yield from (coded[start:end], base64.urlsafe_b64encode(b"\0" * before + raw)[start:end])


def texts_of(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield (name, text) for a text, or for each text in lists and dicts; what a dict holds goes by its key.

    Examples
    --------
    >>> list(texts_of("db", {"password": "x7Kq", "hosts": ["a", "b"]}))
    [('password', 'x7Kq'), ('hosts', 'a'), ('hosts', 'b')]
    """
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from texts_of(str(key), part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from texts_of(name, part)


class MaskingStream(io.TextIOBase):
    """A text stream that masks secrets in what a program prints; all else is the stream's that it wraps."""

    def __init__(self, stream: Any, secrets: KnownSecrets) -> None:
        self._stream = stream
        self._secrets = secrets

    def write(self, text: str) -> int:
        """Write a text; a secret that comes in two calls is not found."""
        self._stream.write(self._secrets.masked(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def flush(self) -> None:
        """Write what is buffered."""
        self._stream.flush()

    def fileno(self) -> int:
        """Return the descriptor of the stream's file."""
        return int(self._stream.fileno())

    def isatty(self) -> bool:
        """Say whether a person reads the stream."""
        return bool(self._stream.isatty())

    def writable(self) -> bool:
        """Say that the stream can be written to."""
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the stream that is wrapped."""
        return str(self._stream.encoding)

    @property
    def buffer(self) -> Any:
        """The bytes below the stream, where nothing is masked."""
        return self._stream.buffer


@contextmanager
def printed_masked(secrets: KnownSecrets) -> Iterator[None]:
    """Mask secrets in what is printed to the standard streams inside the block."""
    if not secrets:
        yield
        return
    out, err = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = MaskingStream(out, secrets), MaskingStream(err, secrets)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err
