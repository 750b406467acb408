from __future__ import annotations

import pytest

from collector_core.errors import (
    BrokerError,
    DeliveryError,
    FencedError,
    NumberError,
    SettingsError,
    StateError,
)
from collector_indicator.failures import Retry, retry_of


def test_a_fenced_process_waits_for_news_of_its_lease() -> None:
    assert retry_of(FencedError("x"), 3) == Retry(1.0, 3)


@pytest.mark.parametrize("error", [BrokerError("x"), DeliveryError("x")])
def test_a_broker_s_failures_are_tried_again_ever_later(error: BrokerError) -> None:
    delays = []
    failures = 0
    for _ in range(8):
        retry = retry_of(error, failures)
        assert retry is not None
        failures = retry.failures
        delays.append(retry.delay)
    assert delays == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert failures == 8


def test_a_number_is_met_with_care_at_once() -> None:
    assert retry_of(NumberError("x"), 0) == Retry(0.0, 1)


@pytest.mark.parametrize("error", [StateError("x"), SettingsError("x"), RuntimeError("a bug")])
def test_what_no_repetition_mends_ends_the_process(error: Exception) -> None:
    assert retry_of(error, 0) is None
