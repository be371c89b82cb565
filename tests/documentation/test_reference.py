"""The reference has every public name, and no other."""

import importlib
import re
from pathlib import Path

from tests.documentation.public_names import public_names

ROOT = Path(__file__).parents[2]
_ENTRY = re.compile(r"^::: (\S+)$", re.MULTILINE)


def listed():
    return [
        address
        for page in sorted((ROOT / "docs").rglob("*.md"))
        for address in _ENTRY.findall(page.read_text())
    ]


def found_at(address):
    module, _, name = address.rpartition(".")
    return getattr(importlib.import_module(module), name)


def test_every_public_name_is_in_the_reference():
    there = {id(found_at(address)) for address in listed()}
    absent = [
        n for n, value in public_names().items() if id(value) not in there
    ]
    assert not absent, f"add to a page in docs/reference: {absent}"


def test_no_name_is_in_the_reference_twice():
    assert len(set(listed())) == len(listed())
