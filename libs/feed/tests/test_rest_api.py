"""What the requests and rows of all exchanges have in common."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from collector_core.errors import FrameError, SymbolError, Throttled
from collector_exchanges.binance.spec import SPEC
from collector_feed.rest_api import Listing, RestApi, expect_about
from collector_feed.spellings import base_first, quote_first

API = RestApi(msgspec.structs.replace(SPEC, exchange="x", title="The X"))


def test_a_request_is_data_with_its_weight() -> None:
    request = API.get("/path", [("a", "1")], lambda body, time: (body, time), weight=5)
    assert (request.method, request.path, request.query) == ("GET", "/path", (("a", "1"),))
    assert (request.weight, request.parse(b"{}", 7)) == (5, (b"{}", 7))


@pytest.mark.parametrize("body", [b"", b"[", b'"\xff"', b"{}", b"[" * 100_000, b'["much"]'])
def test_whatever_a_parser_cannot_read_is_a_frame_error(body: bytes) -> None:
    def parse(body: bytes, _receive_time: int | None) -> object:
        (price,) = API.read(body, list[str])
        return API.trade("A/X", "1", 1, 2, price, "1", "buy")

    with pytest.raises(FrameError, match=r"^expected an answer of The X, was b"):
        API.get("/", (), parse).parse(body, None)


def test_a_pause_that_is_asked_for_goes_through() -> None:
    def parse(_body: bytes, _receive_time: int | None) -> None:
        raise Throttled(str(API.refused("slow down")))

    with pytest.raises(Throttled, match="expected an answer of The X, was its error slow down"):
        API.get("/", (), parse).parse(b"", None)


def test_numbers_are_read_out_of_texts_where_they_may_be() -> None:
    assert API.read(b'["12"]', list[int], strict=False) == [12]
    with pytest.raises(msgspec.ValidationError):
        API.read(b'["12"]', list[int])


def test_a_line_that_nobody_can_spell_hides_no_other() -> None:
    lines = [Listing("A-X", "a", "X", "1E-3", state="halted"), Listing("-X", "", "X")]
    (row,) = API.listed(lines, 9)
    assert (row.exchange, row.symbol, row.venue_symbol, row.receive_time) == ("x", "A/X", "A-X", 9)
    assert (row.price_tick, row.amount_step, row.state) == ("0.001", None, "halted")


def test_a_trade_of_the_past_says_so() -> None:
    row = API.trade("A/X", None, 5, 9, "1E1", "2.50", "sell")
    assert (row.price, row.amount, row.side, row.backfilled) == ("10", "2.50", "sell", True)
    assert (row.id, row.exchange_time, row.receive_time) == (None, 5, 9)


def test_an_answer_about_another_symbol_is_refused() -> None:
    expect_about("A-X", "A-X")
    with pytest.raises(FrameError, match="expected an answer about A-X, was 'B-X'"):
        expect_about("B-X", "A-X")


def test_currencies_stand_on_either_side_of_a_dash() -> None:
    assert base_first("BTC-USD") == quote_first("USD-BTC", ("USD",)) == "BTC/USD"


@pytest.mark.parametrize("text", ["BTCUSD", "BTC-USD-SWAP", "-USD", "BTC-", ""])
@pytest.mark.parametrize("read", [base_first, lambda text: quote_first(text, ("USD",))])
def test_what_is_no_pair_is_refused(text: str, read: Callable[[str], str]) -> None:
    with pytest.raises(SymbolError):
        read(text)
