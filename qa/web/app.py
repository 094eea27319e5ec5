"""Puts the web part together: routes, guards, screens, the watcher. It opens no socket and no database."""

from __future__ import annotations

import asyncio

from aiohttp import web

from qa.web.board_feed import BOARD, BoardFeed, follow, let_screens_go
from qa.web.context import PRINCIPAL, SERVICES, Services
from qa.web.guard import Principal, add_headers, only_this_machine
from qa.web.health import METERS, Meters
from qa.web.imports import TURN
from qa.web.live import FEED, Feed, let_go, watch
from qa.web.periods import SHELF, Shelf
from qa.web.problems import Refusal, problems
from qa.web.routes import ANYBODY, ROUTES, Asked, Route
from qa.web.screens import SCREENS, Screens, get_screen

MOST_BODY = 4 * 1024 * 1024  # a thousand records with their texts
OWNER = Principal()


def make_app(
    services: Services,
    *,
    principal: Principal = OWNER,
    screens: Screens | None = None,
    watch_seconds: float = 1.0,
) -> web.Application:
    """The web part over running services. ``principal``: who everybody is until login exists."""
    app = web.Application(middlewares=[problems, only_this_machine], client_max_size=MOST_BODY)
    app[SERVICES] = services
    app[PRINCIPAL] = principal
    app[METERS] = Meters()
    app[FEED] = Feed(services, watch_seconds)
    app[BOARD] = BoardFeed(services)
    app[TURN] = asyncio.Semaphore(1)
    app[SCREENS] = screens or Screens()
    app[SHELF] = Shelf()
    app.on_response_prepare.append(add_headers)
    app.cleanup_ctx.append(watch)
    app.cleanup_ctx.append(follow)
    app.on_shutdown.append(let_go)
    app.on_shutdown.append(let_screens_go)
    for route in ROUTES:
        add = app.router.add_get if route.method == "GET" else app.router.add_post  # a GET answers HEAD as well
        add(route.path, _guarded(route), name=route.name)
    app.router.add_get("/{page:.*}", get_screen, name="screens")
    return app


def _guarded(route: Route) -> Asked:
    """The handler behind its line of the table: roles first, then the work, then the count."""

    async def handle(request: web.Request) -> web.StreamResponse:
        principal, meters = request.app[PRINCIPAL], request.app[METERS]
        status = 500
        try:
            with meters.seconds.labels(route.path).time():
                if route.roles != ANYBODY and principal.role not in route.roles:
                    raise Refusal(403, "Refused", f"the role {principal.role} may not; ask the owner of the site")
                response = await route.handler(request)
            status = response.status
            return response
        except Refusal as refusal:
            status = refusal.status
            raise
        finally:
            meters.requests.labels(route.path, str(status)).inc()

    return handle
