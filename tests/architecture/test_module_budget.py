import ast
from statistics import quantiles

from tests.architecture.source import PRODUCT, Module, modules

LONGEST = 400
LONG_FUNCTION = 25

# The one package that is imported by its own name: it draws the tree of its errors.
CATALOGUE = "domain/errors/__init__.py"


def length(module: Module) -> int:
    """Return how many lines a module has."""
    return len(module.text.splitlines())


def written() -> list[Module]:
    """Return the product's modules, apart from those that only describe their package."""
    return [each for each in modules(*PRODUCT) if each.path.name != "__init__.py"]


def test_no_module_is_long() -> None:
    """Every module can be read in one sitting."""
    long = [
        f"{each.path.as_posix()}: {length(each)}" for each in written() if length(each) > LONGEST
    ]

    assert long == []


def test_functions_are_short() -> None:
    """Nine functions of ten have at most twenty-five lines."""
    lengths = [
        (node.end_lineno or node.lineno) - node.lineno + 1
        for each in written()
        for node in ast.walk(each.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    ninth = quantiles(lengths, n=10)[-1]

    assert ninth <= LONG_FUNCTION, f"The 90th percentile of functions has {ninth} lines."


def test_packages_only_describe_themselves() -> None:
    """A package's own file is a docstring of at most five lines, so imports name the real module."""
    for each in modules(*PRODUCT):
        if each.path.name == "__init__.py" and each.path.as_posix() != CATALOGUE:
            assert len(each.tree.body) == 1, each.path
            assert length(each) <= 7, each.path
            assert ast.get_docstring(each.tree), each.path
