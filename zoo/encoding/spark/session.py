"""A Spark session in which results do not depend on how Spark is set up."""

import contextlib
import os
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

_MASTER = re.compile(r"local(\[.*\])?|yarn|spark://.+|k8s://.+")

_SETTINGS = {
    # A cast of bad text gives NULL, and the row is reported with its line.
    "spark.sql.ansi.enabled": "false",
    "spark.sql.caseSensitive": "true",
    # Texts in a query mean what they say, `\` and `${...}` included.
    "spark.sql.parser.escapedStringLiterals": "false",
    "spark.sql.variable.substitute": "false",
    # A file that can't be read is an error, not a log with fewer rows.
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
}

_FUNCTION = (
    "create or replace temporary function hex_to_integer(digits string) "
    "returns bigint return cast(conv(digits, 16, 10) as bigint)"
)


def open_session(master: str | None) -> tuple[SparkSession, bool]:
    """Returns a new session, and whether Spark was started for it.

    Settings and names of a session that is active stay as they are.

    Args:
        master: string. Where Spark runs; `None` takes the session that is
            active, what `spark-submit` says, or this machine.

    Raises:
        ImportError: if Java is missing or too old.
        ValueError: for a master that is none, or not the running one.
    """
    if master is not None and not _MASTER.fullmatch(master):
        raise ValueError(
            "`spark_master` must be 'local[2]' or another number of cores, "
            "'yarn', 'spark://host:port' or 'k8s://host:port'. "
            f"Received: spark_master={master!r}"
        )
    running = SparkSession.getActiveSession()
    if running is not None and master is not None:
        running_master = running.sparkContext.master
        if master != running_master:
            raise ValueError(
                "`spark_master` must be that of the Spark session that is "
                "active, or None, or that session be stopped first. Received: "
                f"spark_master={master!r}, active {running_master!r}"
            )
    with without_pandas_warning():
        session = (running or _start(master)).newSession()
    for name, value in _SETTINGS.items():
        session.conf.set(name, value)
    session.sql(_FUNCTION)
    return session, running is None


@contextlib.contextmanager
def without_pandas_warning() -> Iterator[None]:
    """Keeps PySpark from warning of a new pandas, which is not used."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def url_of(path: Path) -> str:
    """The path of a file for Spark to write."""
    # With a scheme: a cluster's default file system is another one.
    return f"file://{path.absolute()}"


def pattern_of(path: Path) -> str:
    """The path of a file for Spark to read."""
    return re.sub(r"([\\*?\[\]{},])", r"\\\1", url_of(path))


def _start(master: str | None) -> SparkSession:
    builder = (
        SparkSession.builder.appName("keras_cowclip")
        .config("spark.log.level", "ERROR")
        .config("spark.ui.showConsoleProgress", "false")
    )
    if master is not None:
        builder = builder.master(master)
    try:
        session = builder.getOrCreate()
    except PySparkRuntimeError as error:
        if error.getCondition() != "JAVA_GATEWAY_EXITED":
            raise
        raise ImportError(
            "`engine='spark'` needs Java 17 or newer: install it, and set "
            "JAVA_HOME to its folder where `java` is another one. Received: "
            f"JAVA_HOME={os.environ.get('JAVA_HOME')}, and what Java says "
            "above"
        ) from error
    context = session.sparkContext
    if (
        context.master.startswith("local")
        and "PYSPARK_PYTHON" not in os.environ
    ):
        # Else it is the first `python3` on the PATH, which may lack Arrow.
        context.pythonExec = sys.executable
    return session
