"""Faults of real sockets, once for each exchange; all eight run at the same time, for the waits.

A connection that nobody answers on is known by the exchange's own keep-alive, up to 35 seconds, and
a ban is left alone for minutes: what each exchange's ingestor met and wrote is judged here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from uuid import uuid4

import pytest

from collector_testkit.broker import Broker
from collector_testkit.dialects import load
from collector_testkit.dialects.dialect import Dialect
from collector_testkit.eventually import eventually
from tests.e2e.ingestor import ledger
from tests.e2e.ingestor.stage import EXCHANGES, PATIENCE, Ingestor, Stage, together

pytestmark = [pytest.mark.broker, pytest.mark.e2e]


SETTINGS = {
    "COLLECTOR_CHANNELS": "trade,book",
    # faults come quicker here than an attempt is forgotten
    "COLLECTOR_BACKOFF_CAP": "3",
}


def announces(name: str) -> bool:
    """Tell whether an exchange says beforehand that it will close."""
    return load(name).notice is not Dialect.notice


class Run:
    """One exchange's ingestor under all faults, one after another.

    Args:
        stage: the exchange.
    """

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        # times that all streams began to flow
        self.connected = 1
        # by fault, the connections lost in it, by cause
        self.lost: dict[str, dict[str, int]] = {}
        self.exit: int | None = None
        # it said so while it was forbidden
        self.unready = False
        self.log = ""
        # what went wrong in the driving, for the exchange's own tests
        self.error: BaseException | None = None

    def drive(self) -> None:
        """Do one fault after another; each heals before the next."""
        try:
            with self.stage.ingestor(**SETTINGS) as service:
                try:
                    self._drive(service)
                    self.exit = service.terminate()
                finally:
                    self.log = service.log()
        except BaseException as error:  # noqa: BLE001  # kept for the tests of this exchange
            self.error = error

    def _drive(self, service: Ingestor) -> None:
        self.stage.flows(5)
        with self._fault("split", service):
            self._hit(kind="split", size=16, duration=2)
            self.stage.flows(15)
        with self._fault("cut", service):
            self._heals(kind="cut")
        with self._fault("planned close", service):
            if announces(self.stage.name):
                self._hit(kind="planned_close", delay=20)
                self.stage.said("rotated", 1)
            else:
                self._heals(kind="planned_close")
        with self._fault("unavailable", service):
            self._hit(kind="refuse", status=503, count=2)
            self._heals(kind="cut")
        with self._fault("throttled", service):
            self._hit(kind="refuse", status=429, retry_after=2, count=1)
            self._heals(kind="cut")
        with self._fault("reset", service):
            self._hit(kind="refuse", status=0, count=1)
            self._heals(kind="cut")
        with self._fault("half open", service):
            self._heals(kind="half_open")
        with self._fault("forbidden", service):
            self._hit(kind="refuse", status=403)
            self._hit(kind="cut")
            service.logged("breaker_opened", timeout=PATIENCE)
            eventually(lambda: "handshake 403" in service.losses(), "a refusal counted")
            self.unready = not service.ready()

    def _hit(self, **fault: object) -> None:
        self.stage.exchange.control("fault", **fault)

    def _heals(self, **fault: object) -> None:
        """Do what ends the connections, and wait until all flows again."""
        self._hit(**fault)
        self.connected += 1
        for channel in ("trade", "book"):
            self.stage.said("subscribed", self.connected, channel)
        self.stage.flows(2)

    @contextmanager
    def _fault(self, name: str, service: Ingestor) -> Iterator[None]:
        before = Counter(service.losses())
        yield
        self.lost[name] = dict(Counter(service.losses()) - before)


@pytest.fixture(scope="module")
def runs(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Run]]:
    prefix = f"t-{uuid4().hex[:12]}"
    with together(broker, prefix, tmp_path_factory.mktemp("sockets"), rate=20) as stages:
        made = {name: Run(stage) for name, stage in stages.items()}
        with ThreadPoolExecutor(len(made)) as threads:
            for run in made.values():
                threads.submit(run.drive)
        yield made


@pytest.fixture
def run(runs: dict[str, Run], name: str) -> Run:
    found = runs[name]
    if found.error is not None:
        raise AssertionError(f"expected all faults on {name}, was:\n{found.log}") from found.error
    return found


each = pytest.mark.parametrize("name", EXCHANGES)


@each
def test_no_trade_is_lost_doubled_or_altered(run: Run) -> None:
    for symbol in run.stage.symbols:
        run.stage.whole(symbol)


@each
def test_each_loss_of_a_connection_is_said_in_the_streams(run: Run) -> None:
    for symbol in run.stage.symbols:
        for channel in ("trade", "book"):
            rows = run.stage.rows(channel, symbol)
            ledger.stream_whole(rows)
            states = ledger.states(rows)
            # five times cut, once half open, and where the planned close comes without a word
            disconnected = 6 + (not announces(run.stage.name))
            assert states.count("disconnected") == disconnected
            # a book that is begun anew to mend it is subscribed once more
            assert states.count("subscribed") >= disconnected
            assert channel == "book" or states.count("subscribed") == disconnected
            assert states.count("rotated") == announces(run.stage.name)
            assert states[-1] == "stopped"


@each
def test_small_segments_are_no_fault(run: Run) -> None:
    assert run.lost["split"] == {}


@each
def test_an_announced_close_costs_nothing(run: Run) -> None:
    lost = run.lost["planned close"]
    assert set(lost) == (set() if announces(run.stage.name) else {"lost"})


@each
@pytest.mark.parametrize(
    ("fault", "causes"),
    [
        ("cut", {"lost"}),
        ("unavailable", {"lost", "handshake 503"}),
        ("throttled", {"lost", "handshake 429"}),
        ("reset", {"lost", "refused"}),
        ("half open", {"silent"}),
        ("forbidden", {"lost", "handshake 403"}),
    ],
)
def test_the_cause_of_each_loss_is_counted(run: Run, fault: str, causes: set[str]) -> None:
    assert set(run.lost[fault]) == causes


@each
def test_a_forbidden_endpoint_is_left_alone(run: Run) -> None:
    # each refusal is of another endpoint: where the exchange has two
    endpoints = run.log.count('"event":"breaker_opened"')
    assert run.lost["forbidden"]["handshake 403"] == endpoints
    assert endpoints <= len({channel.path for channel in run.stage.spec.channels.values()})
    assert run.unready


@each
def test_the_end_is_orderly(run: Run) -> None:
    assert run.exit == 0
    assert "Traceback" not in run.log
