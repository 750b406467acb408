"""The life of subscriptions: pending, confirmed, rejected, replayed."""

from __future__ import annotations

import pytest

from collector_core.errors import SettingsError
from collector_exchanges.binance.spec import SPEC
from collector_feed.outputs import Send, Subscription
from collector_feed.subscriptions import Life, Subscriptions, check

A = Subscription("trade", "A/X")
B = Subscription("trade", "B/X")
C = Subscription("book", "A/X")


def sent(to: Subscriptions, number: int | None, *adds: Subscription, now: float = 0.0) -> None:
    to.sent(Send("…", number), adds, now)


def test_what_is_wanted_is_pending_until_the_exchange_takes_it() -> None:
    found = Subscriptions(10.0)
    assert found.want([A, B, A]) == [A, B]
    assert found.want([A]) == []
    sent(found, 1, A, B)
    assert found.pending() == [A, B]
    assert found.confirm_message(1) == [A, B]
    assert found.confirm_message(1) == []
    assert (found.life(A), found.life(C)) == (Life.CONFIRMED, None)
    assert found.deadline() is None


def test_an_unknown_answer_confirms_nothing() -> None:
    found = Subscriptions(10.0)
    found.want([A])
    sent(found, 1, A)
    assert found.confirm_message(99) == []
    assert found.reject_message(99) == []
    assert found.life(A) is Life.PENDING


def test_first_data_confirms_as_well() -> None:
    found = Subscriptions(10.0)
    found.want([A, B])
    sent(found, None, A, B)
    assert found.confirm([B, C]) == [B]
    assert found.pending() == [A]


def test_a_refusal_is_of_its_message_alone() -> None:
    found = Subscriptions(10.0)
    found.want([A, B])
    sent(found, 1, A)
    sent(found, 2, B)
    assert found.reject_message(2) == [B]
    assert found.wanted() == [A]
    assert found.life(B) is Life.REJECTED
    # asked for again, it is tried again
    assert found.want([B]) == [B]


def test_a_refusal_without_an_id_means_the_only_message_under_way() -> None:
    found = Subscriptions(10.0)
    found.want([A, B])
    sent(found, 1, A)
    sent(found, 2, B)
    assert found.reject_message(None) == []
    found.confirm_message(1)
    assert found.reject_message(None) == [B]


def test_silence_is_asked_three_times_and_then_a_refusal() -> None:
    found = Subscriptions(10.0)
    found.want([A])
    found.sent(Send("…", 1), (A,), 0.0)
    assert found.deadline() == 10.0
    assert found.overdue(9.9) == ({}, [])
    assert found.overdue(10.0) == ({A: 2}, [])
    found.awaiting([A], 10.0, 2)
    assert found.deadline() == 20.0
    found.sent(Send("…", 2), (A,), 12.0, 2)
    assert found.overdue(22.0) == ({A: 3}, [])
    found.sent(Send("…", 3), (A,), 22.0, 3)
    assert found.overdue(32.0) == ({}, [A])
    assert found.reject([A, B]) == [A]
    assert found.deadline() is None


def test_a_late_answer_to_the_first_try_counts() -> None:
    found = Subscriptions(10.0)
    found.want([A])
    found.sent(Send("…", 1), (A,), 0.0)
    found.sent(Send("…", 2), (A,), 10.0, 2)
    assert found.confirm_message(1) == [A]
    assert found.deadline() is None
    assert found.confirm_message(2) == []


def test_what_is_dropped_is_neither_waited_for_nor_confirmed() -> None:
    found = Subscriptions(10.0)
    found.want([A, B, C])
    sent(found, 1, A, B)
    found.reject([C])
    # C was refused: there is nothing to take back from the exchange
    assert found.drop([A, C]) == [A]
    assert found.confirm_message(1) == [B]
    assert found.wanted() == [B]
    sent(found, 2, A)
    assert found.deadline() is None


def test_a_lost_connection_makes_the_confirmed_pending_again() -> None:
    found = Subscriptions(10.0)
    found.want([A, B, C])
    sent(found, 1, A)
    found.confirm_message(1)
    found.reject([C])
    sent(found, 2, B)
    assert found.disconnected() == [A]
    assert found.pending() == [A, B]
    assert found.deadline() is None
    # an answer of the old connection is nobody's
    assert found.confirm_message(2) == []


@pytest.mark.parametrize(
    ("subscription", "words"),
    [
        (Subscription("trades", "A/X"), "one of trade, ticker, book, candle, was 'trades'"),
        (Subscription("instrument", "A/X"), "a channel that Binance spot pushes"),
        (Subscription("candle", "A/X"), "an interval of Binance spot's candle"),
        (Subscription("candle", "A/X", "7m"), "was '7m'"),
        (Subscription("trade", "A/X", "1m"), "one of none, was '1m'"),
    ],
)
def test_what_the_exchange_does_not_push_is_refused(subscription: Subscription, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        check(SPEC, subscription)


def test_what_the_exchange_pushes_is_fine() -> None:
    for subscription in (A, C, Subscription("candle", "A/X", "1m")):
        check(SPEC, subscription)


def test_an_answer_that_names_what_was_not_sent_again_yet_confirms_nothing() -> None:
    known = Subscriptions(10.0)
    wanted = Subscription("book", "A/B")
    known.want([wanted])
    known.sent(Send("x"), (wanted,), 1.0)
    assert known.confirm_named([wanted]) == [wanted]
    assert known.reopen(wanted)
    assert not known.reopen(wanted)
    # an exchange that lists all it holds still means the last time
    assert known.confirm_named([wanted]) == []
    known.sent(Send("y"), (wanted,), 2.0)
    assert known.confirm_named([wanted]) == [wanted]
