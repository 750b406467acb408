"""Settings of every service, and the base of its own (docs/configuration.md).

A service writes its class, and names it in its ``pyproject.toml`` so that the others, which may
share its environment, know its names::

    class IngestorSettings(Settings):
        exchange: Annotated[str, SHORT]         # EXCHANGE
        symbols: Annotated[Words, SHORT] = ()   # SYMBOLS
        snapshot_seconds: float = 10.0          # COLLECTOR_SNAPSHOT_SECONDS

    [project.entry-points."collector.settings"]
    ingestor = "collector_ingestor.settings:IngestorSettings"
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Self

from pydantic import Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from collector_core.errors import CollectorError, SettingsError
from collector_core.topics import Layout, Topics
from collector_runtime.kafka.connection import KafkaSettings
from collector_runtime.kafka.topology import Topology
from collector_runtime.logs import Format, Level
from collector_runtime.settings_names import SHORT, outside_name
from collector_runtime.settings_sources import EnvironmentSource, FileSource
from collector_runtime.settings_types import Durations, Pairs, Words

__all__ = ["SHORT", "Durations", "Pairs", "Settings", "Words", "table"]

_SECRET: Final = ("password", "secret", "security", "key")
"""Words in the names of settings whose values no error may show."""


class Settings(BaseSettings):
    """What every service is told; make one with ``load``."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, validate_default=True)

    kafka_bootstrap_servers: Annotated[str, SHORT] = Field(
        "localhost:9092", min_length=1, description="Brokers to begin with: host:port,host:port."
    )
    kafka_security: Pairs = Field(
        {},
        repr=False,
        description="librdkafka's `security.protocol`, `sasl.*`, `ssl.*`: name=value,name=value.",
    )
    kafka_sasl_password: SecretStr | None = Field(
        None, description="Its `sasl.password`, apart because it belongs in a secret file."
    )
    topic_prefix: Annotated[str, SHORT] = Field(
        "md", pattern=r"^[A-Za-z0-9-]+$", description="First part of each topic's name."
    )
    topic_layout: Annotated[Layout, SHORT] = Field(
        "symbol", description="A topic a symbol, or (keyed) a topic an exchange."
    )
    topic_partitions: int = Field(16, ge=1, description="Partitions of a keyed topic.")
    topic_replicas: int = Field(
        -1, ge=-1, description="Copies of each partition; -1 takes the cluster's default."
    )
    topic_retention: Durations = Field(
        {}, description="Retention by channel, where it is not to be the built-in one."
    )
    health_host: str = Field("127.0.0.1", description="Address of health and metrics.")
    health_port: int = Field(
        9464, ge=0, le=65535, description="Port of health and metrics; 0 takes a free one."
    )
    log_level: Level = Field("info", description="Least level that is written.")
    log_format: Format = Field("json", description="One JSON object a line, or text for eyes.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return our sources, the first of which wins."""
        del env_settings, dotenv_settings, file_secret_settings
        return init_settings, EnvironmentSource(settings_cls), FileSource(settings_cls)

    @classmethod
    def load(cls, **arguments: Any) -> Self:  # noqa: ANN401  # pydantic checks them
        """Read the settings; ``arguments`` (of a command line) win over every source.

        Raises:
            SettingsError: a name that nobody knows, a value of the wrong kind, a required one
                that is missing, a file that cannot be read; all of them in one text.
        """
        try:
            return cls(**arguments)
        except ValidationError as error:
            # a field of several types fails once for each; the first says enough
            first = {detail["loc"][:1]: detail for detail in reversed(error.errors())}
            sentences = [_sentence(cls, detail) for detail in reversed(first.values())]
            raise SettingsError("; ".join(sentences)) from error
        except SettingsError:
            raise
        except CollectorError as error:
            # a validator of a service's own that asked core; pydantic lets it through
            raise SettingsError(f"a setting is wrong: {error}") from error

    def topics(self) -> Topics:
        """Return the names of this installation's topics."""
        return Topics(self.topic_prefix, self.topic_layout, self.topic_partitions)

    def topology(self) -> Topology:
        """Return how this installation's topics should be.

        Raises:
            SettingsError: a retention for a channel that there is none of.
        """
        return Topology(self.topics(), self.topic_retention, self.topic_replicas)

    def kafka(self, client_id: str = "collector") -> KafkaSettings:
        """Return how Kafka is reached and entered.

        Raises:
            SettingsError: an address without port, or a property that has nothing to do with it.
        """
        security = dict(self.kafka_security)
        if self.kafka_sasl_password is not None:
            security["sasl.password"] = self.kafka_sasl_password.get_secret_value()
        return KafkaSettings(self.kafka_bootstrap_servers, client_id, security)


def table(settings: type[BaseSettings], *, own_only: bool = False) -> str:
    """Return a Markdown table of a class's settings, for the manual.

    Args:
        settings: the class.
        own_only: leave out what every service has.
    """
    lines = ["| variable | in YAML | default | meaning |", "|---|---|---|---|"]
    for field, info in settings.model_fields.items():
        if own_only and field in Settings.model_fields:
            continue
        default = "required" if info.is_required() else _shown(info.get_default())
        name = outside_name(settings, field)
        lines.append(f"| `{name}` | `{field}` | {default} | {info.description or ''} |")
    return "\n".join(lines)


def _shown(default: Any) -> str:  # noqa: ANN401  # a default is of any type
    return "" if default in (None, "", (), {}) else f"`{default}`"


def _sentence(settings: type[BaseSettings], detail: ErrorDetails) -> str:
    """Return what is wrong with one setting."""
    field = str(detail["loc"][0]) if detail["loc"] else ""
    if field not in settings.model_fields:
        return f"unknown setting {field or detail['msg']}"
    name = outside_name(settings, field)
    if detail["type"] == "missing":
        return f"setting {name}: expected a value, was not set"
    text = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    # pydantic explains how it failed to convert; what was expected is enough
    wanted = text.partition(", unable to")[0].removeprefix("expected ")
    shown = "a secret" if any(w in field for w in _SECRET) else repr(detail["input"])
    if ", was " in wanted:
        return f"setting {name}: expected {wanted}"
    return f"setting {name}: expected {wanted}, was {shown}"
