"""Every error as RFC 9457 problem details, in words that say what to do. It decides nothing."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from pydantic import ValidationError

from qa.store.errors import BadCursor, NotFound, StoreAway, StoreBusy, StoreError
from qa.web.models import Problem, RefusedRecord

MANY = "too many screens are open here; close some, or try again in a moment"
MEDIA = "application/problem+json"
log = logging.getLogger(__name__)


class Refusal(Exception):
    """An answer that is an error, with its status, title and what to do."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        headers: Mapping[Any, str] | None = None,
        refused: list[RefusedRecord] | None = None,
    ) -> None:
        super().__init__(detail)
        self.refused = refused
        self.status = status
        self.title = title
        self.detail = detail
        self.headers = dict(headers or {})


def answer(request: web.Request, refusal: Refusal) -> web.Response:
    problem = Problem(
        title=refusal.title,
        status=refusal.status,
        detail=refusal.detail,
        instance=request.path,
        refused=refusal.refused,
    )
    text = problem.model_dump_json(exclude_none=True)
    return web.Response(status=refusal.status, text=text, content_type=MEDIA, headers=refusal.headers)


def of_query(error: ValidationError) -> Refusal:
    """A query that does not fit, all faults at once."""
    faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    return Refusal(400, "Bad request", f"{faults}; the parameters are in /api/v1/openapi.json")


def of_body(error: ValidationError) -> Refusal:
    """A body that does not fit, all faults at once."""
    faults = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'body'}: {one['msg']}" for one in error.errors())
    return Refusal(400, "Bad request", f"{faults}; its form is in /api/v1/openapi.json")


def of_store(error: StoreError) -> Refusal:
    """What the store says, in the terms of HTTP."""
    match error:
        case NotFound():
            return Refusal(404, "Not found", str(error))
        case BadCursor():
            return Refusal(400, "Bad request", str(error))
        case StoreBusy():
            return Refusal(503, "Busy", str(error), {hdrs.RETRY_AFTER: "2"})
        case StoreAway():
            return Refusal(503, "Database away", str(error), {hdrs.RETRY_AFTER: "5"})
        case _:
            log.error("store: %s", error, exc_info=error)
            return Refusal(500, "Store failed", "the database refused this; the log says why")


def of_http(error: web.HTTPException) -> Refusal:
    """An error of the HTTP layer; what it allows instead stays in the headers."""
    kept = {name: error.headers[name] for name in (hdrs.ALLOW, hdrs.LOCATION) if name in error.headers}
    return Refusal(error.status, error.reason, f"{error.reason}; see /api/v1/openapi.json for what there is", kept)


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        return answer(request, refusal)
    except StoreError as error:
        return answer(request, of_store(error))
    except web.HTTPException as error:
        return answer(request, of_http(error))
    except ConnectionError:
        raise  # the client went away: there is nobody to tell
    except Exception:  # the border: a defect must not leave as a traceback, and must stand in the log
        log.exception("%s %s failed", request.method, request.path)
        return answer(request, Refusal(500, "Internal error", "this is a defect; the log has its traceback"))
