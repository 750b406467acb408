"""The client against a real broker: both layouts, starts, gaps, transactions, new symbols."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from aiokafka import AIOKafkaProducer

from collector_client import Subscription, subscribe
from collector_core.codec import encode
from collector_core.errors import BrokerError, CodecError, SymbolError
from collector_core.events import Status, Trade
from collector_core.topics import Layout, Topics
from collector_testkit.broker import Broker

from .bus import Bus, eventually, gap, ids, take, trade

pytestmark = pytest.mark.broker

BTC = ("trade", "binance", "BTC/USDT")
ETH = ("trade", "binance", "ETH/USDT")
KRW = ("trade", "upbit", "BTC/KRW")


@pytest.fixture(params=["symbol", "keyed"])
def bus(request: pytest.FixtureRequest, broker: Broker, prefix: str) -> Bus:
    layout: Layout = request.param
    return Bus(broker.bootstrap_servers, Topics(prefix, layout, 4))


@pytest.fixture
def plain(broker: Broker, prefix: str) -> Bus:
    return Bus(broker.bootstrap_servers, Topics(prefix))


def trades(bus: Bus, symbol: str | None = "BTC/USDT", **options: object) -> Subscription[Trade]:
    return subscribe(
        "trade",
        exchange="binance",
        symbol=symbol,
        bootstrap_servers=bus.servers,
        prefix=bus.topics.prefix,
        **options,  # type: ignore[arg-type]  # a test's shorthand
    )


async def gather(subscription: Subscription[Trade], seen: list[Trade]) -> None:
    async for event in subscription:
        seen.append(event)  # noqa: PERF401  # what was seen before an error counts


async def test_rows_of_one_symbol_come_in_order_in_both_layouts(bus: Bus) -> None:
    await bus.provide(BTC, ETH)
    await bus.publish(trade(1), trade(1, "ETH/USDT"), gap(), trade(2), trade(3))
    async with trades(bus, start="earliest") as subscription:
        events = await take(subscription, 3)
    assert events == [trade(1), trade(2), trade(3)]


async def test_gaps_come_where_they_happened_if_asked_for(bus: Bus) -> None:
    await bus.provide(BTC, ETH)
    await bus.publish(trade(1), gap(), gap("ETH/USDT"), trade(2))
    subscription = subscribe(
        "trade",
        gaps=True,
        exchange="binance",
        symbol="BTC/USDT",
        start="earliest",
        bootstrap_servers=bus.servers,
        prefix=bus.topics.prefix,
    )
    async with subscription:
        assert await take(subscription, 3) == [trade(1), gap(), trade(2)]


async def test_the_naming_rule_finds_topics_without_a_catalogue(bus: Bus) -> None:
    await bus.provide(BTC, catalog=False)
    await bus.publish(trade(1))
    async with trades(bus, start="earliest") as subscription:
        assert await take(subscription, 1) == [trade(1)]


async def test_several_channels_exchanges_and_symbols_at_once(plain: Bus) -> None:
    await plain.provide(BTC, ETH, KRW, ("candle", "binance", "BTC/USDT"))
    await plain.publish(
        trade(1), trade(2, "ETH/USDT"), trade(3, "BTC/KRW", "upbit"), trade(4, "ETH/USDT")
    )
    subscription = subscribe(
        ["trade", "candle"],
        exchange=["binance", "upbit"],
        symbol=("BTC/USDT", "BTC/KRW"),
        start="earliest",
        bootstrap_servers=plain.servers,
        prefix=plain.topics.prefix,
    )
    async with subscription:
        assert sorted(ids(await take(subscription, 2)), key=str) == ["1", "3"]
        assert {stream.channel for stream in subscription.streams} == {"trade", "candle"}


async def test_latest_begins_behind_what_is_there(plain: Bus) -> None:
    await plain.provide(BTC)
    await plain.publish(trade(1))
    async with trades(plain) as subscription:
        await plain.publish(trade(2))
        assert await take(subscription, 1) == [trade(2)]


@pytest.mark.parametrize(
    "start",
    [1_700_000_002_000_000, datetime.fromtimestamp(1_700_000_002, UTC)],
    ids=["microseconds", "datetime"],
)
async def test_a_time_begins_at_its_row(plain: Bus, start: int | datetime) -> None:
    await plain.provide(BTC)
    topic = plain.topics.address(*BTC).topic
    async with plain.producer() as producer:
        for number in (1, 2, 3):
            await producer.send_and_wait(
                topic, *_row(number), partition=0, timestamp_ms=1_700_000_000_000 + number * 1_000
            )
    async with trades(plain, start=start) as subscription:
        assert ids(await take(subscription, 2)) == ["2", "3"]
    async with trades(plain, start=1_700_000_012_000_000) as subscription:
        await plain.publish(trade(4))
        assert ids(await take(subscription, 1)) == ["4"]


def _row(number: int) -> tuple[bytes, bytes]:
    return encode(trade(number)), b"binance|BTC/USDT"


async def test_a_symbol_that_appears_is_read_from_its_first_row(bus: Bus) -> None:
    await bus.provide(BTC)
    async with trades(bus, symbol=None) as subscription:
        await bus.publish(trade(1))
        assert ids(await take(subscription, 1)) == ["1"]
        if bus.topics.layout == "symbol":
            await bus.provide(ETH, catalog=False)
        await bus.publish(trade(2, "ETH/USDT"))
        await bus.provide(ETH)
        assert ids(await take(subscription, 1)) == ["2"]
        await bus.publish(trade(3), trade(4, "ETH/USDT"))
        assert sorted(ids(await take(subscription, 2)), key=str) == ["3", "4"]


async def test_rows_are_seen_when_they_are_committed(plain: Bus) -> None:
    await plain.provide(BTC)
    async with (
        plain.producer(f"{plain.topics.prefix}-1") as producer,
        trades(plain, start="earliest") as subscription,
    ):
        await producer.begin_transaction()
        await plain.put(producer, trade(1))
        await producer.abort_transaction()
        await producer.begin_transaction()
        await plain.put(producer, trade(2))
        first = asyncio.create_task(anext(subscription))  # type: ignore[arg-type]  # a coroutine it is
        done, _ = await asyncio.wait([first], timeout=1.0)
        assert done == set()
        await producer.commit_transaction()
        assert await asyncio.wait_for(first, 20) == trade(2)


async def test_a_row_that_is_no_event_is_named_and_the_next_loop_goes_on(plain: Bus) -> None:
    await plain.provide(BTC)
    topic = plain.topics.address(*BTC).topic
    async with plain.producer() as producer:
        await plain.put(producer, trade(1))
        await producer.send_and_wait(topic, b"{oops", b"binance|BTC/USDT", partition=0)
        await plain.put(producer, trade(2))
    seen: list[Trade] = []
    async with trades(plain, start="earliest") as subscription:
        with pytest.raises(CodecError, match=f"{topic}, partition 0, offset 1: expected an event"):
            await gather(subscription, seen)
        async for event in subscription:
            seen.append(event)
            break
    assert seen == [trade(1), trade(2)]


async def test_a_tombstone_is_no_row(plain: Bus) -> None:
    await plain.provide(BTC)
    topic = plain.topics.address(*BTC).topic
    async with plain.producer() as producer:
        await producer.send_and_wait(topic, None, b"binance|BTC/USDT", partition=0)
        await plain.put(producer, trade(1))
    async with trades(plain, start="earliest") as subscription:
        assert await take(subscription, 1) == [trade(1)]


async def test_a_loop_of_its_own_closes_when_it_is_left(plain: Bus) -> None:
    await plain.provide(BTC)
    await plain.publish(trade(1), trade(2))
    subscription = trades(plain, start="earliest")
    async for event in subscription:
        assert event == trade(1)
        break
    await asyncio.sleep(0)
    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(anext(subscription), 20)


async def test_close_ends_a_loop_that_waits(plain: Bus) -> None:
    await plain.provide(BTC)
    subscription = trades(plain)
    seen: list[Trade] = []

    async with subscription:
        task = asyncio.create_task(gather(subscription, seen))
        await plain.publish(trade(1))
        await eventually(lambda: seen)
        await subscription.close()
        await asyncio.wait_for(task, 20)
    assert seen == [trade(1)]


async def test_status_topics_of_an_exchange_are_channels_too(plain: Bus) -> None:
    await plain.provide(BTC, KRW, per_exchange=True)
    await plain.publish(gap(), gap("BTC/KRW", "upbit"), channel="status")
    subscription = subscribe(
        "status", start="earliest", bootstrap_servers=plain.servers, prefix=plain.topics.prefix
    )
    async with subscription:
        events: list[Status] = [await asyncio.wait_for(anext(subscription), 20) for _ in range(2)]
    assert {event.exchange for event in events} == {"binance", "upbit"}


async def test_what_nobody_publishes_is_an_error(plain: Bus) -> None:
    await plain.provide(BTC)
    with pytest.raises(SymbolError, match="rows of XRP/USDT of binance of trade"):
        await take(trades(plain, "XRP/USDT"), 1)


async def test_what_nobody_publishes_yet_can_be_waited_for(plain: Bus) -> None:
    async def begin() -> None:
        await plain.provide(BTC)
        await plain.publish(trade(1))

    subscription = trades(plain, wait=True)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        first = group.create_task(take(subscription, 1))
        await asyncio.wait([first], timeout=0.2)
        await begin()
    assert first.result() == [trade(1)]
    await subscription.close()


async def test_rows_deleted_before_they_were_read_are_an_error(plain: Bus) -> None:
    await plain.provide(BTC)
    await plain.publish(trade(1))
    async with trades(plain, start="earliest") as subscription:
        place = next(iter(subscription._positions))
        subscription._positions = dict.fromkeys(subscription._positions, 50)
        assert subscription._consumer is not None
        subscription._consumer.seek(place, 50)
        for other in subscription._positions:
            subscription._consumer.seek(other, 50)
        with pytest.raises(BrokerError, match="were deleted before they were read"):
            await take(subscription, 1)


async def test_nothing_is_created_by_asking(plain: Bus) -> None:
    with pytest.raises(SymbolError):
        await take(trades(plain), 1)
    async with plain.producer() as producer:
        assert plain.topics.address(*BTC).topic not in await _topics(producer)


async def _topics(producer: AIOKafkaProducer) -> set[str]:
    return set((await producer.client.fetch_all_metadata()).topics())
