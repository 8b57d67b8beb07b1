"""No endpoint of ours answers the unknown, whatever the verb; a known user never sees a 500."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.routing import PathMatches, Router, Rule
from tornado.web import RequestHandler
from tornado.websocket import websocket_connect

VERBS = RequestHandler.SUPPORTED_METHODS
STRANGERS = {
    "no token": {},
    "wrong token": {"Authorization": "token wrong"},
    "empty token": {"Authorization": "token "},
    "socket": {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AA==",
    },
}


def our_paths(web_app) -> list[str]:
    def walk(rules: list[Rule]) -> Iterator[str]:
        for rule in rules:
            if isinstance(rule.target, Router):
                yield from walk(rule.target.rules)
            elif getattr(rule.target, "__module__", "").startswith("mlops_jupyter"):
                assert isinstance(rule.matcher, PathMatches)
                yield rule.matcher.regex.pattern.rstrip("$").replace("\\", "")

    return sorted(set(walk(web_app.default_router.rules)))


async def answer(client, path: str, verb: str, headers: dict[str, str]) -> int:
    body = "" if verb in ("POST", "PUT", "PATCH") else None
    try:
        response = await client.fetch(path, method=verb, headers=headers, body=body, follow_redirects=False)
    except HTTPClientError as fault:
        return fault.code
    return response.code


def test_all_endpoints_are_walked(jp_web_app):
    assert our_paths(jp_web_app) == ["/a%40b/mlops-jupyter/events", "/a%40b/mlops-jupyter/state"]


@pytest.mark.parametrize("stranger", STRANGERS)
async def test_every_verb_is_closed_to_the_unknown(stranger, jp_web_app, http_server_client, notebook):
    notebook("a.ipynb")
    for path in our_paths(jp_web_app):
        for verb in VERBS:
            for query in ("", "?notebook=a.ipynb", "?notebook=../x"):
                code = await answer(http_server_client, path + query, verb, dict(STRANGERS[stranger]))
                assert code == 403, (verb, path, query)


async def test_no_verb_faults_for_a_known_user(jp_web_app, http_server_client, jp_auth_header, notebook):
    notebook("a.ipynb")
    codes = {
        (path.rsplit("/", 1)[1], verb): await answer(
            http_server_client, f"{path}?notebook=a.ipynb", verb, dict(jp_auth_header)
        )
        for path in our_paths(jp_web_app)
        for verb in VERBS
    }
    assert codes.pop(("state", "GET")) == 200
    assert codes.pop(("events", "GET")) == 400  # not a socket's handshake
    assert codes.pop(("state", "OPTIONS")) == 200  # a browser's preflight
    assert set(codes.values()) == {405}


async def test_a_page_of_another_origin_cannot_listen_with_the_users_cookie(
    http_server_client, jp_serverapp, jp_base_url, jp_http_port, notebook
):
    notebook("a.ipynb")
    token = jp_serverapp.identity_provider.token
    told = await http_server_client.fetch(f"{jp_base_url}mlops-jupyter/state?notebook=a.ipynb&token={token}")
    cookie = "; ".join(line.partition(";")[0] for line in told.headers.get_list("Set-Cookie"))
    url = f"ws://127.0.0.1:{jp_http_port}{jp_base_url}mlops-jupyter/events?notebook=a.ipynb"
    own = HTTPRequest(url, headers={"Cookie": cookie, "Origin": f"http://127.0.0.1:{jp_http_port}"})
    (await websocket_connect(own)).close()
    with pytest.raises(HTTPClientError) as fault:
        await websocket_connect(HTTPRequest(url, headers={"Cookie": cookie, "Origin": "http://elsewhere.example"}))
    assert fault.value.code == 403
