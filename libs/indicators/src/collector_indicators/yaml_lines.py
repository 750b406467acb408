"""On which line of a YAML text something stands."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

__all__ = ["Lines"]


class Lines:
    """Lines of a YAML document, by the path to a value.

    Args:
        text: the document.

    Raises:
        yaml.MarkedYAMLError: no YAML, or a mapping with the same key twice (which YAML forbids
            and its readers silently let pass).
    """

    def __init__(self, text: str) -> None:
        self._root = yaml.compose(text, Loader=yaml.SafeLoader)
        if self._root is not None:
            _refuse_doubles(self._root)

    def of(self, path: Sequence[str | int]) -> int:
        """Return the line, from 1, of what stands at ``path``, or of what should hold it."""
        node, line = self._root, 1
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            line, node = found
        return line


def _child(node: yaml.Node | None, step: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        value = node.value[step]
        return value.start_mark.line + 1, value
    return None


def _refuse_doubles(node: yaml.Node) -> None:
    if isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_doubles(value)
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"was the key {key.value} twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
            _refuse_doubles(value)
