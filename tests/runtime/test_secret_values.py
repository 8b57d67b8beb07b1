"""Secrets are found in whatever way programs write them, and words that only sound like secrets are left alone."""

from __future__ import annotations

import base64
import io
import json
import pickle
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_jupyter.runtime.secret_values import (
    DISTINCT,
    KnownSecrets,
    MaskingStream,
    in_environment,
    masked_literals,
)

SECRETS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=6, max_size=60).filter(DISTINCT)


@given(secret=SECRETS, before=st.binary(max_size=7), after=st.binary(max_size=7))
def test_each_way_of_writing_is_found(secret: str, before: bytes, after: bytes) -> None:
    raw = secret.encode()
    known = KnownSecrets([("KEY", secret)])
    for written in (
        raw,
        base64.b64encode(before + raw + after),
        base64.urlsafe_b64encode(before + raw + after),
        (before + raw + after).hex().encode(),
        quote(secret).encode(),
        quote_plus(secret).encode(),
        json.dumps({"key": secret}).encode(),
        json.dumps({"key": secret}, ensure_ascii=False).encode(),
        repr([secret]).encode(),
        pickle.dumps({"key": [secret]}),
    ):
        assert known.held_by(written) == "KEY", written


@given(secret=SECRETS, text=st.text(max_size=40))
def test_a_masked_text_holds_none(secret: str, text: str) -> None:
    known = KnownSecrets([("KEY", secret)])
    masked = known.masked(f"{text}{secret}{text}")
    assert not known.held_by(masked.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("text", ["", "horse", "postgres", "12345678", "a-b", "changeme"])
def test_what_is_no_distinct_text_is_not_searched_for(text: str) -> None:
    assert not KnownSecrets([("PASSWORD", text)])


ENVIRONMENT = [
    ("API_TOKEN", "x7Kq-92fa", True),
    ("DB_PASSWORD", "x7Kq-92fa", True),
    ("DATABASE_URL", "postgresql://me:x7Kq-92fa@db", True),
    ("WORD", "x7Kq-92fa", False),
    ("PWD", "/home/me/project-1", False),
    ("TOKEN_FILE", "/run/secrets/token-1", False),
    ("TOKENIZERS_PARALLELISM", "false", False),
]


@pytest.mark.parametrize(("name", "value", "is_one"), ENVIRONMENT, ids=[row[0] for row in ENVIRONMENT])
def test_variables_of_the_environment(name: str, value: str, is_one: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    assert ((name, value) in in_environment()) == is_one
    assert (name, value) in in_environment([name])


LITERALS = [
    ('password = "x7Kq"', 'password = "***"'),
    ("connect(user='me', password='x7Kq')", "connect(user='me', password='***')"),
    ('os.environ["API_KEY"] = "x7Kq"', 'os.environ["API_KEY"] = "***"'),
    ('{"api_key": "x7Kq", "user": "me"}', '{"api_key": "***", "user": "me"}'),
    ("%env API_KEY=x7Kq", "%env API_KEY=***"),
    ("!export DB_PASSWORD=x7Kq && run", "!export DB_PASSWORD=*** && run"),
    ("url = 'postgresql://me:x7Kq@db/shop'", "url = '***db/shop'"),
    ("headers = {'Authorization': 'Bearer x7Kq'}", "headers = {'Authorization': '***'}"),
    ("tokens = 'a b c'", "tokens = 'a b c'"),
    ("password = getpass()", "password = getpass()"),
    ("keys = ['a', 'b']", "keys = ['a', 'b']"),
    ("df.sort_values(by='key')", "df.sort_values(by='key')"),
]


@pytest.mark.parametrize(("code", "masked"), LITERALS, ids=[row[0] for row in LITERALS])
def test_texts_that_were_typed_in(code: str, masked: str) -> None:
    assert masked_literals(code) == masked


def test_a_stream_masks_and_is_a_stream() -> None:
    under = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    stream = MaskingStream(under, KnownSecrets([("KEY", "x7Kq-92fa")]))
    print("key:", "x7Kq-92fa", file=stream, flush=True)
    assert under.buffer.getvalue() == b"key: ***\n"
    assert (stream.encoding, stream.isatty(), stream.writable()) == ("utf-8", False, True)


TOKENS = [
    *(f"{start}{'A1' * 20}"[:length] for start, length in (("AKIA", 20), ("AIza", 39), ("sk-", 30), ("hf_", 40))),
    *(f"gh{letter}_{'a1' * 18}" for letter in "pousr"),
    *(f"github_pat_{'a1' * 12}", f"glpat-{'a1' * 10}", f"xoxb-{'1a' * 8}"),
    *(f"eyJ{'a1' * 8}.eyJ{'b2' * 8}.x", "-----BEGIN RSA PRIVATE KEY-----", "pg://me:x7Kq@host"),
]


@pytest.mark.parametrize("token", TOKENS)
def test_each_form_of_a_token_is_masked_wherever_it_stands(token: str) -> None:
    assert masked_literals(f"f(1, {token!r})") != f"f(1, {token!r})"


@pytest.mark.parametrize(
    "name", ["password", "DB_PASSWD", "pwd", "passphrase", "secret", "token", "api_key", "apikey", "credentials"]
)
def test_each_name_of_a_secret_masks_what_it_names(name: str) -> None:
    assert masked_literals(f"{name} = 'x7Kq'") == f"{name} = '***'"
