"""Opens Spark sessions whose results do not depend on Spark's settings."""

import contextlib
import os
import re
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

_MASTER = re.compile(r"local(\[.*\])?|yarn|spark://.+|k8s://.+")

_SETTINGS = {
    # Casts bad text to NULL, so that the row is reported with its line.
    "spark.sql.ansi.enabled": "false",
    "spark.sql.caseSensitive": "true",
    # Takes texts in a query literally, `\` and `${...}` included.
    "spark.sql.parser.escapedStringLiterals": "false",
    "spark.sql.variable.substitute": "false",
    # Makes the length of a missing list NULL.
    "spark.sql.legacy.sizeOfNull": "false",
    # Raises for a file that can't be read, instead of dropping its rows.
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
}

_SECONDS_TO_STOP = 10
_FUNCTIONS = (
    "create or replace temporary function hex_to_integer(digits string) "
    "returns bigint return cast(conv(digits, 16, 10) as bigint)",
    "create or replace temporary function last_items("
    "items array<string>, num int) returns array<string> return "
    "case when size(items) > num "
    "then slice(items, size(items) - num + 1, num) "
    "else coalesce(items, cast(array() as array<string>)) end",
)


def open_session(master: str | None) -> tuple[SparkSession, bool]:
    """Opens a session; also returns whether Spark was started for it.

    Settings and names of a session that is active stay as they are.

    Args:
        master: string. The master of Spark; `None` takes the active session,
            the master of `spark-submit`, or this machine.

    Raises:
        ImportError: if Java is missing or too old.
        ValueError: for an invalid master, or another than the running one.
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
    for function in _FUNCTIONS:
        session.sql(function)
    return session, running is None


@contextlib.contextmanager
def without_pandas_warning() -> Iterator[None]:
    """Keeps PySpark from warning about a new pandas, which is not used."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def url_of(path: Path) -> str:
    """The URL of a file that Spark writes."""
    # The default file system of a cluster may be another one.
    return f"file://{path.absolute()}"


def pattern_of(path: Path) -> str:
    """The pattern of a file that Spark reads."""
    return re.sub(r"([\\*?\[\]{},])", r"\\\1", url_of(path))


@contextlib.contextmanager
def _keeping_interrupt_handler() -> Iterator[None]:
    """Restores the handler of Ctrl-C, which Spark replaces."""
    handler = signal.getsignal(signal.SIGINT)
    yield
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, handler)


def stop_java(session: SparkSession) -> None:
    """Ends the Java of this process, which removes its temporary files."""
    process = vars(session.sparkContext._gateway).get("proc")
    # `spark-submit` starts Java first, which then ends with this process.
    if process is not None:
        process.stdin.close()
        process.wait(_SECONDS_TO_STOP)


def _start(master: str | None) -> SparkSession:
    builder = (
        SparkSession.builder.appName("keras_cowclip")
        .config("spark.log.level", "ERROR")
        .config("spark.ui.showConsoleProgress", "false")
    )
    if master is not None:
        builder = builder.master(master)
    try:
        with _keeping_interrupt_handler():
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
        # The default is the first `python3` on the PATH, which may lack Arrow.
        context.pythonExec = sys.executable
    return session
