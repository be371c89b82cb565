"""Checks which package imports which, and which module lies in no package.

Imports inside of functions count as well.
"""

import ast
from pathlib import Path

import pytest

from tests.imports import imports_in

ROOT = Path(__file__).parents[1]
# From the ground up. A package imports from its own floor or from below; two
# packages of one floor do not import each other.
FLOORS = (
    {"keras_cowclip", "checks"},
    {"sequence"},
    {"feature_schema", "metrics", "registry", "files", "raw", "layers"},
    {"runtime"},
    {"encoding"},
    {"data"},
    {"datasets", "devices"},
    {"presets"},
    {"models"},
    {"evaluation", "serving", "interop"},
    {"training", "server"},
    {"scaling", "tuning"},
    {"cli"},
)
# Modules of `zoo` that are one idea, and no package's.
LOOSE = {"checks", "feature_schema", "registry", "sequence"}
# They put all packages together.
ENTRANCES = {"zoo", "zoo.__main__"}


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {
    module_name(path): path
    for package in ("keras_cowclip", "zoo")
    for path in (ROOT / package).rglob("*.py")
}


def imports_of(name):
    """The modules of the two packages that a module imports, anywhere."""
    for whole in imports_in(MODULES[name]):
        module = whole if whole in MODULES else whole.rpartition(".")[0]
        if module in MODULES:
            yield module


def package_of(module):
    """`zoo.data.split` is in `data`; `keras_cowclip` is one package."""
    first, _, rest = module.partition(".")
    return first if first == "keras_cowclip" else rest.partition(".")[0]


def floor_of(module):
    (floor,) = (
        i for i, names in enumerate(FLOORS) if package_of(module) in names
    )
    return floor


@pytest.mark.parametrize("module", sorted({*MODULES} - ENTRANCES))
def test_a_module_imports_from_its_package_or_from_below(module):
    for imported in imports_of(module):
        assert imported not in ENTRANCES, imported
        if package_of(imported) != package_of(module):
            assert floor_of(imported) < floor_of(module), (
                f"{module} must not import {imported}"
            )


def test_no_modules_import_each_other_in_a_circle():
    graph = {name: set(imports_of(name)) - {name} for name in MODULES}
    while graph:
        free = {name for name, needed in graph.items() if not needed & {*graph}}
        assert free, f"a circle is among {sorted(graph)}"
        graph = {name: graph[name] for name in graph.keys() - free}


def test_every_module_of_the_zoo_lies_in_a_package():
    loose = {path.stem for path in (ROOT / "zoo").glob("*.py")}
    assert loose - {"__init__", "__main__"} == LOOSE


def test_no_name_is_both_a_module_and_a_function():
    functions = {
        node.name: name
        for name, path in MODULES.items()
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef)
    }
    modules = {name.rpartition(".")[2] for name in MODULES}
    both = {name: functions[name] for name in functions.keys() & modules}
    assert not both


def test_the_optimizer_stands_alone():
    for module in MODULES:
        if module.startswith("keras_cowclip"):
            assert not [m for m in imports_of(module) if m.startswith("zoo")]
