"""Encodes logs on a Spark cluster."""

OLDEST = (4, 1)
"""The first version that has `DataFrame.repartitionById`."""


def check_spark() -> None:
    """Raises unless PySpark and sqlglot are installed.

    Raises:
        ImportError: saying what to install.
    """
    try:
        import pyspark
        import sqlglot  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "`engine='spark'` needs PySpark and sqlglot: run "
            f"`pip install 'keras-cowclip[spark]'`. Received: {error}"
        ) from error
    version = tuple(
        int(number) for number in pyspark.__version__.split(".")[:2]
    )
    if version < OLDEST:
        raise ImportError(
            "`engine='spark'` needs PySpark 4.1 or newer: run "
            "`pip install 'keras-cowclip[spark]'`. Received: pyspark "
            f"{pyspark.__version__}"
        )
