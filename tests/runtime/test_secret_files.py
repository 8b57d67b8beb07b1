"""Secrets in files of settings are found in each of their formats, and words of data are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_jupyter.runtime.secret_files import holds_secrets, secret_entries

SECRET = "x7Kq-92fa"
FOUND = [
    ("config.ini", f"[db]\nuser = me\npassword = {SECRET}\n"),
    ("app.conf", f"db.password: {SECRET}"),
    ("one.json", f'{{"db": {{"user": "me", "password": "{SECRET}"}}, "n": 3}}'),
    ("list.json", f'[{{"api_key": "{SECRET}"}}]'),
    ("broken.json", f'{{\n  // comment\n  "api_key": "{SECRET}",\n}}'),
    ("app.toml", f'[db]\nlogin = {{ user = "me", password = "{SECRET}" }}\n'),
    ("app.yaml", f"db:\n  user: me\n  password: '{SECRET}'\n"),
    ("app.properties", f"db.password={SECRET}\n"),
    (".env", f"export API_KEY={SECRET}\n"),
    (".netrc", f"machine host login me password {SECRET}\n"),
    (".pgpass", f"host:5432:db:me:{SECRET}\n"),
    ("urls.ini", f"[db]\nurl = postgresql://me:{SECRET}@host/db\n"),
    (
        "key.pem",
        "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC1234\n" + "-----END PRIVATE KEY-----\n",
    ),
]
NONE = [
    ("words.json", '[{"token": "e-mail"}, {"token": "covid-19"}]'),
    ("config.ini", "[db]\npassword = changeme\nhost = db-1.example.org\n"),
    ("rows.csv", f"password\n{SECRET}\n"),
    ("settings.yaml", "tokens: a-b-c-1\nkeywords: x1-y2\n"),
    ("binary.json", "\0\1"),
]


@pytest.mark.parametrize(("name", "text"), FOUND, ids=[row[0] for row in FOUND])
def test_found(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    assert holds_secrets(tmp_path / name)
    values = [value for _, value in secret_entries(tmp_path / name)]
    assert any(SECRET in value or value.startswith("MII") for value in values)


@pytest.mark.parametrize(("name", "text"), NONE, ids=[row[0] for row in NONE])
def test_left_alone(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    assert list(secret_entries(tmp_path / name)) == []


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    assert not holds_secrets(tmp_path / "config.ini")
