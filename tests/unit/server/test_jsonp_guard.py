"""Which requests may be answered with a script."""

import pytest

from unified_agent.server.failures import RequestRefused
from unified_agent.server.jsonp_guard import URL_LIMIT_CHARS, JsonpGuard, joined
from unified_agent.settings import JsonpSettings

HOST = "ua.example:8443"
CRM = "https://crm.example"


def guard(**changed) -> JsonpGuard:
    return JsonpGuard(JsonpSettings(**{"enabled": True, "callers": (CRM,), **changed}))


def refusal(action) -> str:
    with pytest.raises(RequestRefused) as caught:
        action()
    return caught.value.id


def test_callback_and_parameters_are_told_apart():
    assert guard().read(b"callback=ua.f&a=1") == ("ua.f", {"a": "1"})


@pytest.mark.parametrize(
    ("settings", "query", "id_"),
    [
        ({"enabled": False}, b"callback=f", "jsonp.off"),
        ({}, b"a=1", "jsonp.callback"),
        ({}, b"callback=", "jsonp.callback"),
        ({}, b"callback=alert(1)", "jsonp.callback"),
        ({}, b"callback=f&callback=f", "request.invalid"),
        ({}, b"callback=f&a=1&a=2", "request.invalid"),
    ],
)
def test_without_one_good_callback_there_is_no_script(settings, query, id_):
    assert refusal(lambda: guard(**settings).read(query)) == id_


@pytest.mark.parametrize(
    ("headers", "origin"),
    [
        ({"origin": CRM}, CRM),
        ({"origin": "HTTPS://CRM.example"}, CRM),
        ({"origin": f"https://{HOST}"}, f"https://{HOST}"),
        ({"origin": f"http://{HOST}"}, f"http://{HOST}"),
        ({"referer": f"{CRM}/customers?id=7"}, CRM),
        ({"referer": f"{CRM}/x", "sec-fetch-dest": "script", "sec-fetch-site": "cross-site"}, CRM),
        ({"sec-fetch-dest": "script", "sec-fetch-site": "cross-site"}, None),
        ({"sec-fetch-dest": "script"}, None),
        ({"origin": CRM, "cookie": "JSESSIONID=abc.ua-1"}, CRM),
        ({"origin": CRM, "cookie": "a=b; c=d"}, CRM),
    ],
)
def test_a_script_element_of_a_listed_page_may_ask(headers, origin):
    assert guard().admit({"host": HOST, **headers}) == origin


def test_a_page_of_another_instance_may_ask():
    of_two = JsonpGuard(JsonpSettings(enabled=True), lambda: ["https://UA-2.example/"])
    assert of_two.admit({"host": HOST, "origin": "https://ua-2.example"}) == "https://ua-2.example"
    assert refusal(lambda: of_two.admit({"host": HOST, "origin": "http://ua-2.example"})) == "jsonp.caller"
    assert refusal(lambda: guard().admit({"host": HOST, "origin": "https://ua-2.example"})) == "jsonp.caller"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": f"{CRM}.evil.example"},
        {"origin": "http://crm.example"},
        {"origin": f"{CRM}:8443"},
        {"origin": "https://evil.example", "referer": f"{CRM}/x"},
        {"referer": "https://evil.example/https://crm.example"},
        {"referer": "https://crm.example@evil.example/"},
        {"referer": "about:blank"},
        {"referer": "nonsense"},
        {"referer": ""},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-dest": "script", "sec-fetch-site": "none"},
        *({"origin": CRM, "sec-fetch-dest": each} for each in ("document", "image", "iframe", "empty", "object", "")),
        *({"cookie": each} for each in ("a=b", "JSESSIONID=x.ua-1", "token=abc")),
        *({"origin": CRM, each: "prefetch"} for each in ("purpose", "sec-purpose", "x-moz")),
        {"origin": CRM, "sec-purpose": "prefetch;prerender"},
    ],
)
def test_nobody_else_may(headers):
    assert refusal(lambda: guard().admit({"host": HOST, **headers})) == "jsonp.caller"


def test_a_page_that_nothing_tells_of_may_ask_where_a_site_says_so_and_a_foreign_one_may_not():
    lenient = guard(allow_unknown_callers=True)
    assert lenient.admit({"host": HOST}) is None
    assert refusal(lambda: lenient.admit({"host": HOST, "origin": "https://evil.example"})) == "jsonp.caller"
    assert refusal(lambda: lenient.admit({"host": HOST, "sec-fetch-dest": "document"})) == "jsonp.caller"


def test_a_header_that_comes_twice_is_judged_whole():
    twice = joined([(b"Cookie", b"JSESSIONID=x.ua-1"), (b"cookie", b"a=b"), (b"Origin", CRM.encode())])
    assert twice == {"cookie": "JSESSIONID=x.ua-1, a=b", "origin": CRM}
    origins = joined([(b"origin", CRM.encode()), (b"origin", b"https://evil.example")])
    assert refusal(lambda: guard().admit({"host": HOST, **origins})) == "jsonp.caller"


def test_an_origin_without_a_host_is_not_that_of_a_request_without_one():
    assert refusal(lambda: guard().admit({"origin": "null"})) == "jsonp.caller"


def test_a_url_of_2000_characters_is_taken_and_one_more_is_not():
    around = len(f"https://{HOST}")
    guard().measure("https", HOST, b"x" * (URL_LIMIT_CHARS - around))
    assert refusal(lambda: guard().measure("https", HOST, b"x" * (URL_LIMIT_CHARS - around + 1))) == "jsonp.too-long"
