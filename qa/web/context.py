"""What every handler needs: the services of the process, and who asks. Opens nothing."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from qa.settings import Settings
from qa.store.pool import Store, Tx
from qa.web.guard import Principal
from qa.web.problems import Refusal, of_query

MOST_ID = 136  # a sender's 128, and the number of a part
Q = TypeVar("Q", bound=BaseModel)


class Services(Protocol):
    """What the composition root hands to the web part."""

    @property
    def settings(self) -> Settings: ...
    @property
    def store(self) -> Store: ...
    @property
    def site(self) -> str: ...
    @property
    def recordings(self) -> Path: ...
    @property
    def status(self) -> Mapping[str, Any]: ...


SERVICES: web.AppKey[Services] = web.AppKey("services", Services)
PRINCIPAL: web.AppKey[Principal] = web.AppKey("principal", Principal)


def work(request: web.Request) -> AbstractAsyncContextManager[Tx]:
    """One transaction at this site under the asker's name."""
    services = request.app[SERVICES]
    return services.store.site(services.site, request.app[PRINCIPAL].actor)


def call_id(request: web.Request) -> str:
    """The call's id from the address; what could be no id names no call."""
    id = request.match_info["id"]
    if len(id) > MOST_ID or "\0" in id:
        raise no_call(id)
    return id


def no_call(id: str) -> Refusal:
    return Refusal(404, "Not found", f"call {id[:MOST_ID]!r}: not at this site; /api/v1/calls lists them")


def asked(request: web.Request, shape: type[Q]) -> Q:
    """The query, checked; a parameter that comes twice or is not known is refused."""
    names = [name for name, _ in request.query.items()]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise Refusal(400, "Bad request", f"{', '.join(sorted(twice))}: given more than once; give it once")
    try:
        return shape.model_validate(dict(request.query))
    except ValidationError as error:
        raise of_query(error) from None


def answer(value: BaseModel, status: int = 200) -> web.Response:
    return web.Response(text=value.model_dump_json(), status=status, content_type="application/json")
