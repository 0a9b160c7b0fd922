"""The frame of a control port: HTTP by which a test, or a person with curl, makes happen what happens in life.

A simulator adds its own routes, and how it answers its own errors. What is not understood is answered with 400. The
OpenAPI document is at ``/openapi.json``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol, TypeAlias

import msgspec
from litestar import Controller, Litestar, Request, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from litestar.openapi.config import OpenAPIConfig

from unified_agent import __version__

#: An object that JSON can carry.
Json: TypeAlias = dict[str, Any]
#: Answers an error that a route raised.
Answer: TypeAlias = Callable[[Request[Any, Any, Any], Any], Response[Json]]


class Controlled(Protocol):
    """What every simulator's server has."""

    @property
    def accepting(self) -> bool:
        """Whether new sockets are let in."""
        ...


class ControlFrame:
    """What the routes work with.

    Args:
        server: what is controlled; each route may take it as ``server``.
        shut_down: called once when that is asked for.
        certificate: the TLS certificate in PEM form that clients may trust, if one was made.

    Attributes:
        title: of the OpenAPI document.
        controllers: the simulator's own routes.
        answers: the simulator's own errors, and how each is answered.
    """

    title: ClassVar[str]
    controllers: ClassVar[tuple[type[Controller], ...]]
    answers: ClassVar[Mapping[int | type[Exception], Answer]]

    def __init__(self, server: Controlled, *, shut_down: Callable[[], None], certificate: str | None = None) -> None:
        self.server = server
        self.shut_down = shut_down
        self.certificate = certificate

    def application(self) -> Litestar:
        """Return the ASGI application."""
        return Litestar(
            route_handlers=[Life, *self.controllers],
            dependencies={
                "control": Provide(lambda: self, use_cache=True, sync_to_thread=False),
                "server": Provide(lambda: self.server, use_cache=True, sync_to_thread=False),
            },
            exception_handlers={**self.answers, HTTPException: _not_understood},
            openapi_config=OpenAPIConfig(
                title=self.title,
                version=__version__,
                use_handler_docstrings=True,
                create_examples=False,
                path="/openapi",
            ),
            logging_config=None,
            debug=False,
        )


class Life(Controller):
    """What every simulator can be asked."""

    @get("/health", tags=["read"], sync_to_thread=False)
    def health(self, control: NamedDependency[ControlFrame]) -> Json:
        """Tell that we live."""
        return {"status": "ok", "accepting": control.server.accepting}

    @get("/certificate", tags=["read"], media_type="application/x-pem-file", sync_to_thread=False)
    def certificate(self, control: NamedDependency[ControlFrame]) -> Response[str]:
        """Give the certificate that was made for TLS; 404 when none was."""
        return Response(control.certificate or "", status_code=200 if control.certificate else 404)

    @get("/openapi.json", include_in_schema=False, media_type="application/json", sync_to_thread=False)
    def openapi(self, request: Request[Any, Any, Any]) -> bytes:
        """Give the OpenAPI document."""
        return msgspec.json.encode(request.app.openapi_schema.to_schema())

    @post("/shut-down", tags=["faults"], status_code=202, sync_to_thread=False)
    def shut_down(self, control: NamedDependency[ControlFrame]) -> Json:
        """End the simulator."""
        control.shut_down()
        return {"shutting_down": True}


def _not_understood(_: Request[Any, Any, Any], error: HTTPException) -> Response[Json]:
    return Response(
        {"id": "not-understood", "detail": error.detail, "extra": error.extra}, status_code=error.status_code
    )
