"""A simulated exchange, its ingestor and its topics, as the tests of this folder set them up."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from urllib.request import urlopen

from collector_core.events import Row, Trade
from collector_core.topics import PER_EXCHANGE, Topics
from collector_exchanges.discovery import adapter, exchanges
from collector_feed.spec import Spec
from collector_runtime.kafka.ports import free_ports
from collector_testkit.broker import Broker
from collector_testkit.dialects import load
from collector_testkit.eventually import eventually
from collector_testkit.services import Exchange, Service, simulated
from collector_testkit.truth import TruthFault, TruthTrade, read_truth
from tests.e2e.ingestor import ledger
from tests.e2e.ingestor.topic import Topic

__all__ = ["EXCHANGES", "PATIENCE", "Ingestor", "Stage", "staged", "together"]

EXCHANGES = sorted(exchanges())
PATIENCE = 120.0
"""Seconds that a test waits for what comes within a few where the machine is idle."""


class Ingestor(Service):
    """An ingestor process.

    Args:
        settings: its environment.
    """

    def __init__(self, settings: dict[str, str]) -> None:
        self._port = free_ports()[0]
        super().__init__(
            "collector_ingestor", {"COLLECTOR_HEALTH_PORT": str(self._port), **settings}
        )

    def connected(self, times: int = 1) -> None:
        """Wait until it has opened a socket so many times."""

        def probe() -> bool:
            assert self.process.poll() is None, f"expected a running ingestor, was:\n{self.log()}"
            return self.log().count('"event":"connected"') >= times

        eventually(probe, f"{times} sockets opened", timeout=PATIENCE)

    def ready(self) -> bool:
        """Tell whether it says that data flows."""
        try:
            with urlopen(f"http://127.0.0.1:{self._port}/readyz", timeout=10):
                return True
        except OSError:
            # not listening yet, or 503
            return False

    def losses(self) -> dict[str, int]:
        """Return how often a socket ended or never opened, by cause, as the metric says."""
        with urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        found = re.findall(
            r'^collector_reconnects_total\{[^}]*reason="([^"]*)"[^}]*\} (\S+)$', text, re.MULTILINE
        )
        return {cause: int(float(count)) for cause, count in found}


class Stage:
    """One simulated exchange and the topics of what is collected of it.

    Args:
        exchange: the simulated exchange.
        broker: where the topics are.
        prefix: of the topics.
    """

    def __init__(self, exchange: Exchange, broker: Broker, prefix: str) -> None:
        self.name = exchange.name
        self.exchange = exchange
        self.broker = broker
        self.topics = Topics(prefix)
        self.symbols = load(exchange.name).symbols[:2]
        self._open: dict[tuple[str, str], Topic] = {}

    @cached_property
    def spec(self) -> Spec:
        """What the adapter says of the exchange."""
        return adapter(self.name).spec

    @property
    def _forgets(self) -> bool:
        return self.spec.channels["trade"].history == "recent"

    def ingestor(self, **settings: str) -> Ingestor:
        """Start an ingestor of the exchange; all channels unless told otherwise."""
        return Ingestor(
            {
                **self.exchange.settings(),
                "SYMBOLS": ",".join(self.symbols),
                "KAFKA_BOOTSTRAP_SERVERS": self.broker.bootstrap_servers,
                "TOPIC_PREFIX": self.topics.prefix,
                **settings,
            }
        )

    # --- rows --------------------------------------------------------------------------------

    def rows(self, channel: str, symbol: str) -> list[Row]:
        """Return a stream's rows; some channels have one topic for all symbols."""
        topic = self._open.get((channel, symbol))
        if topic is None:
            name = self.topics.address(channel, self.name, symbol).topic
            topic = self._open[channel, symbol] = Topic(self.broker.bootstrap_servers, name)
        rows = topic.read()
        return [r for r in rows if r.symbol == symbol] if channel in PER_EXCHANGE else rows

    def trades(self, symbol: str) -> list[Row]:
        """Return what the topic of a symbol's trades holds."""
        return self.rows("trade", symbol)

    def truth(self, symbol: str) -> list[TruthTrade]:
        """Return what was traded."""
        return ledger.truth_of(self.exchange, symbol)

    def hit(self, symbol: str) -> set[str]:
        """Return the ids of the trades whose frames a fault kept from the client."""
        return {
            ident
            for record in read_truth(self.exchange.truth)
            if isinstance(record, TruthFault)
            and record.lost
            and (record.exchange, record.symbol) == (self.name, symbol)
            for ident in record.trades
        }

    def flows(self, count: int) -> None:
        """Wait until each symbol has so many more live trades than it has now."""
        before = {symbol: self._live(symbol) for symbol in self.symbols}
        for symbol in self.symbols:
            self._eventually(
                partial(self._has_live, symbol, before[symbol] + count),
                f"{count} more trades of {symbol}",
            )

    def said(self, state: str, count: int, channel: str = "trade") -> None:
        """Wait until each symbol's topic has so many status rows of a state."""
        for symbol in self.symbols:
            self._eventually(
                partial(self._has_said, channel, symbol, state, count),
                f"{count} rows {state!r} of the {channel} of {symbol}",
            )

    def whole(self, symbol: str) -> list[Row]:
        """Assert that a symbol's trades are there as far as the exchange tells; return the rows.

        Each once, digit for digit, in order; what is missing is named, and nothing else is.
        """
        rows = self.trades(symbol)
        ledger.stream_whole(rows)
        told = ledger.account(rows, self.truth(symbol), rest_ids=self.spec.rest_trade_ids)
        ledger.same_order(told)
        unnamed = ledger.unexplained(rows, told.missing)
        assert unnamed == [], ledger.story(rows)
        assert ledger.unmissed(rows, told.missing) == set()
        # an exchange that tells its newest trades alone may have kept a hole's beginning back
        out_of_reach = told.before_filled if self._forgets else []
        assert [trade for trade in told.missing if trade not in out_of_reach] == []
        return rows

    def close(self) -> None:
        """Leave the broker."""
        for topic in self._open.values():
            topic.close()

    def _live(self, symbol: str) -> int:
        return sum(isinstance(r, Trade) and not r.backfilled for r in self.trades(symbol))

    def _has_live(self, symbol: str, count: int) -> bool:
        return self._live(symbol) >= count

    def _has_said(self, channel: str, symbol: str, state: str, count: int) -> bool:
        return ledger.states(self.rows(channel, symbol)).count(state) >= count

    def _eventually(self, probe: partial[bool], what: str) -> None:
        eventually(probe, f"{what} on {self.name}", timeout=PATIENCE, pause=0.2)


@contextmanager
def staged(
    name: str, broker: Broker, prefix: str, folder: Path, **settings: object
) -> Iterator[Stage]:
    """Simulate one exchange with two symbols; ``settings`` are the simulator's."""
    symbols = ",".join(f"{name}:{symbol}" for symbol in load(name).symbols[:2])
    with simulated(name, folder, **{"symbols": symbols, **settings}) as exchange:
        stage = Stage(exchange, broker, prefix)
        try:
            yield stage
        finally:
            stage.close()


@contextmanager
def together(
    broker: Broker, prefix: str, folder: Path, **settings: object
) -> Iterator[dict[str, Stage]]:
    """Simulate all exchanges in one process; ``settings`` are the simulator's."""
    truth = folder / "truth.jsonl"
    symbols = ",".join(f"{name}:{s}" for name in EXCHANGES for s in load(name).symbols[:2])
    given = {f"COLLECTOR_SIMULATOR_{key.upper()}": str(value) for key, value in settings.items()}
    environment = {
        "COLLECTOR_SIMULATOR_TRUTH_LOG": str(truth),
        "COLLECTOR_SIMULATOR_SYMBOLS": symbols,
        **given,
    }
    with Service("collector_simulator", environment) as simulator:
        urls = json.loads(simulator.first_line())
        stages = {
            name: Stage(Exchange(name, **urls[name], truth=truth), broker, prefix) for name in urls
        }
        try:
            yield stages
        finally:
            for stage in stages.values():
                stage.close()
        simulator.terminate()
