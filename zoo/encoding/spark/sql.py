"""Translates the SQL of `zoo.encoding.sql` for Spark."""

import sqlglot
from sqlglot import expressions


def translated(query: str) -> str:
    """Translates a query of DuckDB's dialect."""
    return _parsed(query).sql("spark")


def checked(staged: str, first_bad_row: str) -> str:
    """Adds the column `is_bad` to the query of `staged`.

    The text is then parsed once, for its values and for its rules.

    Args:
        staged: the query of `zoo.encoding.sql.staged`.
        first_bad_row: the query of `zoo.encoding.rules_sql.first_bad_row`.
    """
    rules = _parsed(first_bad_row).args["where"].this
    select = _parsed(staged)
    return select.select(expressions.alias_(rules, "is_bad")).sql("spark")


def _exploded(node: expressions.Expression) -> expressions.Expression:
    """Makes a list and its subscripts, side by side, one function of Spark."""
    if not isinstance(node, expressions.Select):
        return node
    for unnested in node.selects:
        if isinstance(unnested.this, expressions.Explode):
            names = ("position", "token")
            exploded = expressions.Aliases(
                this=expressions.Posexplode(this=unnested.this.this),
                expressions=[expressions.to_identifier(n) for n in names],
            )
            others = [
                selected
                for selected in node.selects
                if selected.alias_or_name not in names
            ]
            return node.select(*others, exploded, append=False)
    return node


def _parsed(query: str) -> expressions.Select:
    tree = sqlglot.parse_one(query, read="duckdb").transform(_exploded)
    for match in tree.find_all(expressions.RegexpLike):
        # In Java `$` also matches before a line end, so that "12\n" would be
        # a number.
        pattern = match.expression
        if pattern.this.endswith("$"):
            text = pattern.this[:-1] + r"\z"
            pattern.replace(expressions.Literal.string(text))
    return tree
