"""Serves a preset over HTTP: raw rows in, probabilities out.

It needs the extra `serve`.
"""

try:
    import fastapi  # noqa: F401
    import uvicorn  # noqa: F401
except ImportError as error:
    raise ImportError(
        "Serving needs FastAPI and uvicorn: run "
        f"`pip install 'keras-cowclip[serve]'`. Received: {error}"
    ) from error

from zoo.server.application import make_application as make_application
from zoo.server.limits import Limits as Limits
