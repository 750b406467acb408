"""Backoff, budget, outbox, sharding and status rows."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector_core.errors import SettingsError
from collector_core.events import Bar, Candle, Clock, Trade
from collector_feed.backoff import Backoff
from collector_feed.budget import Budget
from collector_feed.outbox import Outbox
from collector_feed.outputs import Send, Subscription
from collector_feed.sharding import Sharding
from collector_feed.spec import Rate
from collector_feed.status_rows import status_rows, stream_of

# --- backoff ---------------------------------------------------------------------------------


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 200))
def test_full_jitter_stays_below_a_bound_that_doubles_up_to_the_cap(
    drawn: float, attempt: int
) -> None:
    backoff = Backoff(lambda: drawn, base=0.5, cap=30.0)
    backoff.attempts = attempt
    bound = min(30.0, 0.5 * 2.0 ** min(attempt, 60))
    assert backoff.next() == drawn * bound
    assert backoff.attempts == attempt + 1


def test_delays_spread_over_the_whole_range() -> None:
    generator = random.Random(7)
    backoff = Backoff(generator.random, base=1.0, cap=1.0)
    delays = [backoff.next() for _ in range(4_000)]
    assert 0 <= min(delays) < 0.01
    assert 0.99 < max(delays) < 1
    assert 0.47 < sum(delays) / len(delays) < 0.53
    quarters = [sum(q / 4 <= d < (q + 1) / 4 for d in delays) for q in range(4)]
    assert all(900 < quarter < 1_100 for quarter in quarters)


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 100))
def test_a_throttle_is_obeyed_and_never_answered_at_once(drawn: float, asked: float) -> None:
    backoff = Backoff(lambda: drawn, base=4.0, cap=30.0)
    delay = backoff.next(retry_after=asked)
    assert delay == max(asked, 2.0 + drawn * 2.0)
    assert Backoff(lambda: drawn, base=4.0).next(throttled=True) >= 2.0


def test_success_starts_again_from_the_base() -> None:
    backoff = Backoff(lambda: 1.0, base=0.5, cap=30.0)
    assert [backoff.next() for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    backoff.reset()
    assert backoff.next() == 0.5


# --- budget ----------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.floats(0, 20), st.integers(1, 40)), min_size=1, max_size=60),
    st.integers(100, 1000),
)
def test_no_window_grants_more_than_the_share(asks: list[tuple[float, int]], count: int) -> None:
    budget = Budget(Rate(count, 60.0), share=0.8)
    now = 0.0
    granted: list[tuple[float, int]] = []
    for pause, weight in asks:
        now += pause
        granted.append((now + budget.ask(weight, now), weight))
    times = [at for at, _ in granted]
    assert times == sorted(times)
    for start in times:
        inside = sum(weight for at, weight in granted if start <= at < start + 60.0)
        assert inside <= count * 0.8 + 1e-6
    assert budget.granted == sum(weight for _, weight in asks)


def test_a_full_bucket_grants_at_once_and_an_empty_one_at_the_flow() -> None:
    budget = Budget(Rate(100, 10.0), share=1.0)
    assert [budget.ask(10, 5.0) for _ in range(5)] == [0.0] * 5
    assert budget.ask(10, 5.0) == pytest.approx(2.0)
    # 50 in 10 s is the flow: another 10 two seconds later
    assert budget.ask(10, 5.0) == pytest.approx(4.0)
    assert budget.ask(10, 100.0) == 0.0


def test_a_weight_above_the_burst_waits_for_a_full_bucket() -> None:
    budget = Budget(Rate(100, 10.0), share=1.0)
    assert budget.ask(80, 0.0) == 0.0
    assert budget.ask(80, 0.0) == pytest.approx(16.0)


# --- outbox ----------------------------------------------------------------------------------


def drain(outbox: Outbox, now: float) -> list[str]:
    texts = []
    while (item := outbox.take(now)) is not None:
        texts.append(item[0].text)
    return texts


def test_the_outbox_keeps_the_limit_of_messages_in_order() -> None:
    outbox = Outbox(Rate(4, 1.0))
    for number in range(10):
        outbox.put(Send(str(number)), ())
    assert drain(outbox, 100.0) == ["0", "1", "2", "3"]
    assert outbox.deadline() == 101.0
    assert drain(outbox, 100.999) == []
    assert drain(outbox, 101.0) == ["4", "5", "6", "7"]
    assert drain(outbox, 102.0) == ["8", "9"]
    assert outbox.deadline() is None


@given(st.floats(0, 1e6), st.floats(0.1, 10), st.integers(1, 5))
def test_at_its_deadline_the_outbox_lets_a_frame_go(now: float, seconds: float, count: int) -> None:
    outbox = Outbox(Rate(count, seconds))
    for number in range(count + 1):
        outbox.put(Send(str(number)), ())
    drain(outbox, now)
    deadline = outbox.deadline()
    assert deadline is not None
    assert outbox.take(deadline) is not None


@given(st.lists(st.floats(0, 0.6), min_size=1, max_size=60))
def test_no_window_holds_more_than_the_limit(pauses: list[float]) -> None:
    outbox = Outbox(Rate(4, 1.0))
    now, sent = 50.0, list[float]()
    for pause in pauses:
        now += pause
        outbox.put(Send("x"), ())
        sent += [now] * len(drain(outbox, now))
    for first, fifth in zip(sent, sent[4:], strict=False):
        assert fifth >= first + 1.0


def test_a_ping_past_the_queue_counts() -> None:
    outbox = Outbox(Rate(2, 1.0))
    outbox.spend(10.0)
    for number in range(2):
        outbox.put(Send(str(number)), ())
    assert drain(outbox, 10.0) == ["0"]
    assert not outbox.free(10.5)
    assert outbox.free(11.0)


def test_a_lost_connection_leaves_nothing_behind() -> None:
    outbox = Outbox(Rate(1, 1.0))
    outbox.put(Send("a"), (), 2)
    outbox.put(Send("b"), ())
    drain(outbox, 5.0)
    outbox.clear()
    assert outbox.deadline() is None
    assert outbox.free(5.0)
    outbox.put(Send("c"), ())
    # nothing was sent on the new connection: the next look may send
    assert outbox.deadline() == 0.0


# --- sharding --------------------------------------------------------------------------------


def wants(symbol: str, *channels: str) -> list[Subscription]:
    return [Subscription(channel, symbol) for channel in channels or ("trade", "book")]


def test_a_connection_is_filled_before_the_next_is_opened() -> None:
    sharding = Sharding(4)
    gained = sharding.add([*wants("A/X"), *wants("B/X"), *wants("C/X")])
    assert gained == {0: [*wants("A/X"), *wants("B/X")], 1: wants("C/X")}
    assert sharding.held(0) == frozenset([*wants("A/X"), *wants("B/X")])
    assert sharding.held(7) == frozenset()


def test_a_symbols_subscriptions_stay_together() -> None:
    sharding = Sharding(3)
    sharding.add(wants("A/X"))
    assert sharding.add(wants("B/X")) == {1: wants("B/X")}
    assert sharding.add(wants("A/X", "ticker")) == {0: wants("A/X", "ticker")}


def test_what_is_known_is_not_added_again() -> None:
    sharding = Sharding(3)
    sharding.add(wants("A/X"))
    assert sharding.add([*wants("A/X"), *wants("A/X", "ticker", "ticker")]) == {
        0: wants("A/X", "ticker")
    }


@given(
    st.lists(
        st.tuples(st.sampled_from("ABCDEFGH"), st.sampled_from(["trade", "book", "ticker"])),
        max_size=40,
    ),
    st.integers(3, 6),
)
def test_an_assignment_never_moves_and_no_connection_overflows(
    asked: list[tuple[str, str]], limit: int
) -> None:
    sharding = Sharding(limit)
    home: dict[str, int] = {}
    for symbol, channel in asked:
        try:
            gained = sharding.add([Subscription(channel, symbol)])
        except SettingsError:
            continue
        for number in gained:
            assert home.setdefault(symbol, number) == number
        assert all(len(sharding.held(number)) <= limit for number in range(10))


def test_room_that_is_given_back_is_used_again() -> None:
    sharding = Sharding(2)
    sharding.add([*wants("A/X"), *wants("B/X")])
    assert sharding.remove([*wants("A/X"), *wants("Z/X")]) == {0: wants("A/X")}
    assert sharding.remove(wants("A/X")) == {}
    assert sharding.add(wants("C/X")) == {0: wants("C/X")}
    assert sharding.held(1) == frozenset(wants("B/X"))


def test_a_symbol_leaves_its_home_with_its_last_subscription() -> None:
    sharding = Sharding(3)
    sharding.add([*wants("A/X"), *wants("B/X", "trade")])
    sharding.remove(wants("A/X", "trade"))
    assert sharding.add(wants("A/X", "ticker")) == {0: wants("A/X", "ticker")}


@pytest.mark.parametrize("more", [wants("B/X", "a", "b", "c"), wants("A/X", "x")])
def test_what_does_not_fit_is_refused_whole(more: list[Subscription]) -> None:
    sharding = Sharding(2)
    sharding.add(wants("A/X"))
    fits = wants("C/X")
    with pytest.raises(SettingsError, match="expected"):
        sharding.add([*fits, *more])
    # the caller was told of none of them
    assert sharding.held(1) == frozenset()
    assert sharding.add(fits) == {1: fits}


# --- status rows -----------------------------------------------------------------------------


def test_one_status_row_for_each_stream() -> None:
    rows = status_rows(
        "x",
        [Subscription("candle", "A/B", "1m"), Subscription("candle", "A/B", "1h"), *wants("A/B")],
        "disconnected",
        "gone",
        5,
    )
    assert [(r.channel, r.symbol, r.state, r.reason, r.receive_time) for r in rows] == [
        (channel, "A/B", "disconnected", "gone", 5) for channel in ("candle", "trade", "book")
    ]


def test_a_row_names_the_subscription_that_it_proves() -> None:
    stamped = ("x", "A/B", 1, 1, 0, 0)
    candle = Candle(*stamped, "1m", 0, 60, "1", "1", "1", "1", "1", None, None, closed=True)
    assert stream_of(Trade(*stamped, "1", "1", "1", None)) == Subscription("trade", "A/B")
    assert stream_of(candle) == Subscription("candle", "A/B", "1m")
    assert stream_of(Clock(*stamped, 1)) == Subscription("clock", "A/B")
    assert Bar.__struct_config__.tag == "bar"


def test_subscriptions_keep_a_limit_of_their_own_beside_the_messages() -> None:
    outbox = Outbox(Rate(10, 1.0), Rate(2, 100.0))
    for number in range(3):
        outbox.put(Send(f"subscribe {number}"), (), operation=True)
    outbox.put(Send("ping"), ())
    sent = []
    now = 0.0
    while (at := outbox.deadline()) is not None:
        now = max(now, at)
        item = outbox.take(now)
        assert item is not None
        sent.append((item[0].text, now))
    assert sent == [
        ("subscribe 0", 0.0),
        ("subscribe 1", 0.0),
        ("subscribe 2", 100.0),
        ("ping", 100.0),
    ]
    outbox.put(Send("late"), (), operation=True)
    outbox.clear()
    assert outbox.deadline() is None
