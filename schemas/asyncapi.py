"""The bus as AsyncAPI 3.0: each channel in both layouts, with its messages and their keys."""

from __future__ import annotations

from typing import Any, Final, cast, get_args

import msgspec

from collector_core.events import Channel, Event
from collector_core.topics import CATALOG, CONTROL, PER_EXCHANGE, Topics, key_of
from collector_runtime.kafka.topology import LEASE, STATE, Topic, Topology

__all__ = ["asyncapi", "check_keys", "topics"]

_STREAM: Final = "{exchange}|{symbol}"
_STATUS: Final = _STREAM + "|status|{channel}|{seq}"
_KEYS: Final = {
    "trade": _STREAM,
    "clock": _STREAM,
    "ticker": _STREAM,
    "book": _STREAM,
    "depth": _STREAM,
    "candle": _STREAM + "|{interval}|{open_time}",
    "bar": _STREAM + "|{bar_kind}|{size}|{ordinal}",
    "indicator": _STREAM + "|{input}|{interval}|{name}|{params}|{open_time}",
    "status": _STATUS,
    "instrument": _STREAM,
    "catalog": "{topic}|{symbol}",
    "control": _STREAM,
    "dead_letter": "{exchange}|{connection}|{receive_time}",
}
"""Keys of each type; names in braces are fields of the row."""
_ROWS: Final = {
    **{channel: (channel, "status") for channel in get_args(Channel)},
    "trade": ("trade", "clock", "status"),
    "status": ("status",),
    "dead-letter": ("dead_letter",),
    CATALOG: ("catalog",),
    CONTROL: ("control",),
}
"""Types that stand in the topics of a channel."""
_TEXT: Final = {
    "trade": "Executions, and clock rows that say how far they are complete.",
    "ticker": "Rolling 24 h figures and the touch.",
    "book": "Every change of the order book, and snapshots.",
    "depth": "The best levels, at most one row per symbol and 100 ms.",
    "candle": "Candles as the exchange publishes them.",
    "bar": "Bars that we build from trades.",
    "indicator": "Indicators over candles and bars.",
    "status": "What happened to the streams of an exchange.",
    "instrument": "What an exchange lists.",
    "dead-letter": "Frames that could not be read.",
    CATALOG: "Where the rows of each symbol are.",
    CONTROL: "Which symbols are wanted.",
}
_PARTITIONS: Final = 16
_PARAMETERS: Final = {
    "exchange": {"description": "Name of the exchange, lower case."},
    "pair": {"description": "BASE-QUOTE, each escaped: other bytes than A-Z a-z 0-9 are _XX."},
}


def check_keys(events: tuple[Event, ...]) -> None:
    """Raise ``ValueError`` if the keys written here are not those of ``key_of``."""
    for event in events:
        tag = str(event.__struct_config__.tag)
        described = _KEYS[tag].format(**msgspec.to_builtins(event))
        if described != key_of(event):
            raise ValueError(f"expected key {key_of(event)!r} of a {tag} row, was {described!r}")


def topics() -> list[dict[str, Any]]:
    """Return each channel's topics in both layouts, as the provisioner makes them."""
    channels = []
    for channel in (*_ROWS, STATE, LEASE):
        layouts = {
            layout: _described(_topic(channel, Topics(layout=layout, partitions=_PARTITIONS)))
            for layout in ("symbol", "keyed")
        }
        keys = {kind: _KEYS[kind] for kind in _ROWS.get(channel, ())}
        same = layouts["symbol"] == layouts["keyed"]
        channels.append(
            {
                "channel": channel,
                **({"keys": keys} if keys else {}),
                **({"topic": layouts["symbol"]} if same else {"layouts": layouts}),
            }
        )
    return channels


def asyncapi() -> dict[str, Any]:
    """Return the document; payloads refer to the files in ``events/``."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for entry in topics():
        channel = entry["channel"]
        if channel in {STATE, LEASE}:
            # the services' own affair: no events
            continue
        both = entry.get("layouts") or {"": entry["topic"]}
        for layout, topic in both.items():
            name = _name(channel, layout)
            channels[name] = _channel(channel, layout, topic)
            operations[f"read{name[0].upper()}{name[1:]}"] = {
                "action": "receive",
                "channel": {"$ref": f"#/channels/{name}"},
            }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "CCXT.Collector",
            "version": "1.0.0",
            "description": "Market data of crypto exchanges on Kafka. Each channel exists in one "
            "of two layouts, by the setting TOPIC_LAYOUT: a topic per symbol, or a keyed topic "
            "per exchange. The prefix md is a setting. See docs/topics.md and docs/events.md.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {"local": {"host": "localhost:9092", "protocol": "kafka"}},
        "channels": channels,
        "operations": operations,
        "components": {
            "parameters": _PARAMETERS,
            "messages": {kind: _message(kind, key) for kind, key in _KEYS.items()},
        },
    }


def _name(channel: str, layout: str) -> str:
    words = channel.split("-")
    name = words[0] + "".join(word.capitalize() for word in words[1:])
    return name + {"": "", "symbol": "BySymbol", "keyed": "Keyed"}[layout]


def _topic(channel: str, names: Topics) -> Topic:
    """Return one topic of a channel, with a placeholder for exchange and pair in its name."""
    topology = Topology(names)
    if channel == STATE:
        return topology.state(_PARTITIONS)
    if channel == LEASE:
        return topology.lease("{exchange}", _PARTITIONS)
    if channel in {CATALOG, CONTROL}:
        found = [t for t in topology.bus() if t.name.endswith(f".{channel}")]
    elif channel in PER_EXCHANGE:
        found = [t for t in topology.exchange("{exchange}") if f".{channel}." in t.name]
    else:
        found = topology.streams([(channel, "{exchange}", "PAIR/X")])
    (topic,) = found
    return msgspec.structs.replace(topic, name=topic.name.replace("PAIR-X", "{pair}"))


def _described(topic: Topic) -> dict[str, Any]:
    return {"name": topic.name, "partitions": topic.partitions, "config": topic.config}


def _channel(channel: str, layout: str, topic: dict[str, Any]) -> dict[str, Any]:
    config = topic["config"]
    address = topic["name"]
    where = {
        "": "",
        "symbol": " One topic per symbol, one partition (TOPIC_LAYOUT=symbol).",
        "keyed": " One topic per exchange; the partition is (murmur2(exchange|symbol) & "
        "0x7fffffff) % partitions (TOPIC_LAYOUT=keyed).",
    }[layout]
    parameters = {
        name: {"$ref": f"#/components/parameters/{name}"}
        for name in _PARAMETERS
        if f"{{{name}}}" in address
    }
    binding: dict[str, Any] = {
        "partitions": topic["partitions"],
        "topicConfiguration": {
            "cleanup.policy": config["cleanup.policy"].split(","),
            **({"retention.ms": int(config["retention.ms"])} if "retention.ms" in config else {}),
        },
        "bindingVersion": "0.5.0",
    }
    return {
        "address": address,
        "description": _TEXT[channel] + where,
        **({"parameters": parameters} if parameters else {}),
        "messages": {
            kind: {"$ref": f"#/components/messages/{kind}"}
            for kind in cast("tuple[str, ...]", _ROWS[channel])
        },
        "bindings": {"kafka": binding},
    }


def _message(kind: str, key: str) -> dict[str, Any]:
    return {
        "name": kind,
        "contentType": "application/json",
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": f"./events/{kind}.json"},
        },
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": f"UTF-8: {key}"},
                "bindingVersion": "0.5.0",
            }
        },
    }
