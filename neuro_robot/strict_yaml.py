"""YAML read strictly: no aliases, no duplicate keys, whatever is nested too deep an error like any other."""

from __future__ import annotations

from typing import Any

import yaml


class StrictYamlError(yaml.YAMLError):
    """What YAML allows and nobody means, or cannot mean."""


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses aliases (nested ones explode in memory) and duplicate keys (one would be lost)."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise StrictYamlError(f"line {mark.line + 1}: aliases (*name) are not allowed; write the value out")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        names: set[str] = set()
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                raise StrictYamlError(f"line {key.start_mark.line + 1}: merging (<<) is not allowed; write it out")
            if str(key.value) in names:
                raise StrictYamlError(f"line {key.start_mark.line + 1}: key {key.value!r} is given twice; keep one")
            names.add(str(key.value))
        return super().construct_mapping(node, deep)


def read_yaml(text: str) -> object:
    """The document as plain values; raises yaml.YAMLError, StrictYamlError for what is no matter of syntax."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError) as error:  # no such date or number
        raise yaml.YAMLError(str(error)) from error
    except RecursionError as error:
        raise StrictYamlError("is nested too deep; write it flatter") from error
