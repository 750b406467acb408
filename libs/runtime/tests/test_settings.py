"""Settings: where they come from, and one clear sentence for each thing that is wrong."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field, SecretStr, field_validator

from collector_core.errors import SettingsError
from collector_core.symbols import split
from collector_runtime import settings_names
from collector_runtime.settings import SHORT, Settings, Words, table


class DemoSettings(Settings):
    exchange: Annotated[str, SHORT]
    symbols: Annotated[Words, SHORT] = ()
    snapshot_seconds: float = Field(10.0, gt=0, description="Between two snapshots.")

    @field_validator("symbols")
    @classmethod
    def _our_spelling(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for symbol in value:
            split(symbol)
        return value


class OtherSettings(Settings):
    shards: int = 16


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Start in an empty folder, with nothing of ours in the environment."""
    for name in list(os.environ):
        if name.startswith("COLLECTOR_") or name in settings_names.known_names(DemoSettings):
            monkeypatch.delenv(name)
    monkeypatch.setenv("EXCHANGE", "binance")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def other_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a second service beside the one that starts."""

    class Entry:
        def load(self) -> type[Settings]:
            return OtherSettings

    monkeypatch.setattr(settings_names, "entry_points", lambda **_: [Entry()])


def test_defaults_stand_where_nothing_is_set() -> None:
    settings = DemoSettings.load()
    assert settings.exchange == "binance"
    assert settings.kafka_bootstrap_servers == "localhost:9092"
    assert settings.topic_layout == "symbol"
    assert settings.health_host == "127.0.0.1"
    assert settings.topics().catalog == "md.catalog"


def test_the_environment_is_read_by_short_and_prefixed_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SYMBOLS", "BTC/USDT, ETH/USDT,")
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "k1:9092,k2:9092")
    monkeypatch.setenv("TOPIC_LAYOUT", "keyed")
    monkeypatch.setenv("TOPIC_PREFIX", "t1")
    monkeypatch.setenv("COLLECTOR_TOPIC_PARTITIONS", "4")
    monkeypatch.setenv("COLLECTOR_TOPIC_RETENTION", "trade=3d,book=6h")
    monkeypatch.setenv("COLLECTOR_SNAPSHOT_SECONDS", "2.5")
    monkeypatch.setenv("COLLECTOR_HEALTH_HOST", "")
    settings = DemoSettings.load()
    assert settings.symbols == ("BTC/USDT", "ETH/USDT")
    assert settings.kafka_bootstrap_servers == "k1:9092,k2:9092"
    assert settings.topics().address("trade", "binance", "BTC/USDT").partitions == 4
    assert settings.topic_retention == {"trade": 259_200_000, "book": 21_600_000}
    assert settings.snapshot_seconds == 2.5
    assert settings.health_host == "127.0.0.1"


def test_the_nearer_source_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names = ["COLLECTOR_HEALTH_PORT"] * 5
    config = tmp_path / "c.yaml"
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    monkeypatch.setenv("COLLECTOR_CONFIG", str(config))
    monkeypatch.setenv("COLLECTOR_SECRETS_DIR", str(secrets))
    config.write_text("health_port: 1\nsymbols: [BTC/KRW]\nsnapshot_seconds: 3\n")
    assert DemoSettings.load().health_port == 1
    (secrets / names[0].lower()).write_text("2\n")
    assert DemoSettings.load().health_port == 2
    (tmp_path / ".env").write_text("COLLECTOR_HEALTH_PORT=3\nUNRELATED=x\n")
    assert DemoSettings.load().health_port == 3
    monkeypatch.setenv(names[0], "4")
    assert DemoSettings.load().health_port == 4
    settings = DemoSettings.load(health_port=5)
    assert settings.health_port == 5
    assert settings.symbols == ("BTC/KRW",)
    assert settings.snapshot_seconds == 3.0


def test_a_secret_file_reaches_kafka_and_is_never_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COLLECTOR_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv(
        "COLLECTOR_KAFKA_SECURITY", "security.protocol=sasl_ssl,sasl.username=collector"
    )
    (tmp_path / "collector_kafka_sasl_password").write_text("hunter2\n")
    (tmp_path / "..data").mkdir()
    settings = DemoSettings.load()
    assert isinstance(settings.kafka_sasl_password, SecretStr)
    assert "hunter2" not in repr(settings)
    assert settings.kafka("demo").security == {
        "security.protocol": "sasl_ssl",
        "sasl.username": "collector",
        "sasl.password": "hunter2",
    }


def test_pairs_are_read_from_json_and_from_yaml(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COLLECTOR_KAFKA_SECURITY", '{"ssl.ca.location": "/a,b=c"}')
    assert DemoSettings.load().kafka_security == {"ssl.ca.location": "/a,b=c"}
    monkeypatch.delenv("COLLECTOR_KAFKA_SECURITY")
    config = tmp_path / "c.yaml"
    config.write_text("kafka_security:\n  enable.ssl.certificate.verification: true\n")
    monkeypatch.setenv("COLLECTOR_CONFIG", str(config))
    assert DemoSettings.load().kafka_security == {"enable.ssl.certificate.verification": "true"}


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "COLLECTOR_HEALTH_PORT",
            "abc",
            "setting COLLECTOR_HEALTH_PORT: expected a valid integer, was 'abc'",
        ),
        (
            "COLLECTOR_HEALTH_PORT",
            "70000",
            "setting COLLECTOR_HEALTH_PORT: expected less than or equal to 65535, was '70000'",
        ),
        (
            "TOPIC_LAYOUT",
            "both",
            "setting TOPIC_LAYOUT: expected 'symbol' or 'keyed', was 'both'",
        ),
        (
            "COLLECTOR_TOPIC_RETENTION",
            "trade=ages",
            "setting COLLECTOR_TOPIC_RETENTION: expected a duration such as 6h or 3d, was 'ages'",
        ),
        (
            "COLLECTOR_KAFKA_SECURITY",
            "sasl.username",
            "setting COLLECTOR_KAFKA_SECURITY: expected name=value,name=value, was a secret",
        ),
        (
            "COLLECTOR_KAFKA_SECURITY",
            "{oops",
            (
                "setting COLLECTOR_KAFKA_SECURITY: expected a JSON object or "
                "name=value,name=value, was a secret"
            ),
        ),
        (
            "COLLECTOR_HEALTH_PROT",
            "1",
            (
                "unknown setting COLLECTOR_HEALTH_PROT in the environment; "
                "did you mean COLLECTOR_HEALTH_PORT?"
            ),
        ),
        (
            "COLLECTOR_EXCHANGE",
            "upbit",
            "unknown setting COLLECTOR_EXCHANGE in the environment; did you mean EXCHANGE?",
        ),
        (
            "COLLECTOR_ZZZZZZZZZZZZZZZZZ",
            "1",
            "unknown setting COLLECTOR_ZZZZZZZZZZZZZZZZZ in the environment",
        ),
        (
            "COLLECTOR_CONFIG",
            "/nowhere.yaml",
            (
                "expected a readable file at /nowhere.yaml, "
                "was [Errno 2] No such file or directory: '/nowhere.yaml'"
            ),
        ),
        (
            "COLLECTOR_ENV_FILE",
            "/nowhere.env",
            "expected a file or folder at COLLECTOR_ENV_FILE, was '/nowhere.env'",
        ),
    ],
)
def test_a_wrong_setting_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        DemoSettings.load()
    assert str(caught.value) == sentence


def test_a_missing_setting_and_a_wrong_one_are_told_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("EXCHANGE")
    monkeypatch.setenv("COLLECTOR_SNAPSHOT_SECONDS", "-1")
    with pytest.raises(SettingsError) as caught:
        DemoSettings.load()
    assert str(caught.value) == (
        "setting EXCHANGE: expected a value, was not set; "
        "setting COLLECTOR_SNAPSHOT_SECONDS: expected greater than 0, was '-1'"
    )


def test_an_unknown_argument_is_refused() -> None:
    with pytest.raises(SettingsError, match="unknown setting no_such"):
        DemoSettings.load(no_such=1)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("health_prot: 1", "unknown setting COLLECTOR_HEALTH_PROT in {}; did you mean"),
        ("- a\n- b", "expected a mapping in {}, was list"),
        ("a: [", "expected YAML in {}, was while parsing"),
        ("symbols: 5", "setting SYMBOLS: expected a valid tuple, was 5"),
    ],
)
def test_a_wrong_file_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, sentence: str
) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(text)
    monkeypatch.setenv("COLLECTOR_CONFIG", str(config))
    with pytest.raises(SettingsError) as caught:
        DemoSettings.load()
    assert str(caught.value).startswith(sentence.format(config))


@pytest.mark.parametrize("name", ["COLLECTOR_ENV_FILE", "COLLECTOR_CONFIG"])
def test_a_file_that_is_no_text_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe=\x00")
    monkeypatch.setenv(name, str(tmp_path / "binary"))
    with pytest.raises(SettingsError, match=r"expected a readable file at .*binary, was 'utf-8'"):
        DemoSettings.load()


def test_a_secret_that_is_no_text_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "collector_kafka_sasl_password").write_bytes(b"\xff\xfe")
    monkeypatch.setenv("COLLECTOR_SECRETS_DIR", str(tmp_path))
    with pytest.raises(SettingsError, match="expected readable secret files in"):
        DemoSettings.load()


def test_an_empty_file_sets_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("# nothing yet\n")
    monkeypatch.setenv("COLLECTOR_CONFIG", str(tmp_path / "c.yaml"))
    assert DemoSettings.load().health_port == 9464


def test_an_unknown_name_in_dotenv_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("COLLECTOR_LOG_LEVLE=debug\n")
    with pytest.raises(SettingsError, match=r"in \.env; did you mean COLLECTOR_LOG_LEVEL\?"):
        DemoSettings.load()


@pytest.mark.usefixtures("other_service")
def test_settings_of_another_service_may_share_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COLLECTOR_SHARDS", "8")
    config = tmp_path / "c.yaml"
    config.write_text("shards: 4\n")
    monkeypatch.setenv("COLLECTOR_CONFIG", str(config))
    assert DemoSettings.load().exchange == "binance"
    assert OtherSettings.load().shards == 8
    monkeypatch.setenv("COLLECTOR_SHARDZ", "8")
    with pytest.raises(SettingsError, match=r"SHARDZ .* did you mean COLLECTOR_SHARDS\?"):
        DemoSettings.load()


def test_what_kubernetes_puts_into_a_container_is_no_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {
        "COLLECTOR_INGESTOR_SERVICE_HOST": "10.0.0.1",
        "COLLECTOR_INGESTOR_SERVICE_PORT": "9464",
        "COLLECTOR_INGESTOR_SERVICE_PORT_METRICS": "9464",
        "COLLECTOR_INGESTOR_PORT": "tcp://10.0.0.1:9464",
        "COLLECTOR_INGESTOR_PORT_9464_TCP": "tcp://10.0.0.1:9464",
        "COLLECTOR_INGESTOR_PORT_9464_TCP_ADDR": "10.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    assert DemoSettings.load().exchange == "binance"


def test_the_table_names_every_setting_and_its_default() -> None:
    own = table(DemoSettings, own_only=True).splitlines()
    assert own[2:] == [
        "| `EXCHANGE` | `exchange` | required |  |",
        "| `SYMBOLS` | `symbols` |  |  |",
        "| `COLLECTOR_SNAPSHOT_SECONDS` | `snapshot_seconds` | `10.0` | Between two snapshots. |",
    ]
    assert "| `TOPIC_PREFIX` | `topic_prefix` | `md` |" in table(DemoSettings)


def test_an_error_of_core_in_a_validator_is_an_error_of_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SYMBOLS", "btcusdt")
    with pytest.raises(SettingsError, match=r"expected a symbol such as BTC/USDT, was 'btcusdt'"):
        DemoSettings.load()


def test_topics_and_topology_follow_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTOR_TOPIC_RETENTION", "trade=2h")
    (trades,) = DemoSettings.load().topology().streams([("trade", "binance", "BTC/USDT")])
    assert trades.config["retention.ms"] == "7200000"
    monkeypatch.setenv("COLLECTOR_TOPIC_RETENTION", "trades=2h")
    with pytest.raises(SettingsError, match="trades"):
        DemoSettings.load().topology()


def test_the_manual_has_the_table_of_all_services(request: pytest.FixtureRequest) -> None:
    manual = (request.config.rootpath / "docs" / "configuration.md").read_text()
    assert table(Settings) in manual
