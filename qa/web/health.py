"""Says whether the service lives, whether it can work, and how it does, for machines that watch it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from qa.store import events, migrations, queue, screens
from qa.store.errors import StoreError
from qa.web import models
from qa.web.context import SERVICES, answer, work


class Meters:
    """The figures of one application; each has its own registry, so that two never collide."""

    def __init__(self) -> None:
        self.registry = kept = CollectorRegistry()
        self.requests = Counter(
            "seatwatch_http_requests_total", "Requests answered", ["route", "status"], registry=kept
        )
        self.seconds = Histogram("seatwatch_http_seconds", "Time to answer", ["route"], registry=kept)
        self.calls = Gauge("seatwatch_calls", "Calls stored, by what became of them", ["kind"], registry=kept)
        self.jobs = Gauge("seatwatch_jobs", "Jobs that wait or run", ["name"], registry=kept)
        self.unfolded = Gauge("seatwatch_unfolded", "Calls and seats with news that are not folded yet", registry=kept)
        self.connections = Gauge("seatwatch_database_connections", "Database connections", ["state"], registry=kept)


LOADING = "loading"
METERS: web.AppKey[Meters] = web.AppKey("meters", Meters)


async def healthz(_request: web.Request) -> web.Response:
    return answer(models.Health(status="ok"))


async def readyz(request: web.Request) -> web.Response:
    """200 when every check is well, else 503; each check says what it found."""
    checks = [await _database(request), await _schema(request), await _backlog(request)]
    checks += _told(request.app[SERVICES].status)
    ready = all(one.ok for one in checks)
    return answer(models.Ready(ready=ready, checks=checks), 200 if ready else 503)


async def _database(request: web.Request) -> models.Check:
    try:
        await request.app[SERVICES].store.ping()
    except StoreError as error:
        return models.Check(name="database", ok=False, detail=str(error))
    return models.Check(name="database", ok=True, detail="answers")


async def _schema(request: web.Request) -> models.Check:
    try:
        found = await request.app[SERVICES].store.revision()
    except StoreError as error:
        return models.Check(name="schema", ok=False, detail=str(error))
    ok = found == migrations.HEAD
    detail = str(found) if ok else f"{found}, not {migrations.HEAD}: run `seatwatch migrate`"
    return models.Check(name="schema", ok=ok, detail=detail)


async def _backlog(request: web.Request) -> models.Check:
    try:
        async with work(request) as tx:
            unfolded, jobs = await events.count_due(tx), await queue.waiting(tx)
    except StoreError as error:
        return models.Check(name="backlog", ok=False, detail=str(error))
    return models.Check(name="backlog", ok=True, detail=f"{unfolded} to fold, {sum(jobs.values())} jobs")


def _told(status: Mapping[str, Any]) -> list[models.Check]:
    """What the parts of this process say of themselves; one that is loading is not ready."""
    return [models.Check(name=name, ok=value != LOADING, detail=str(value)) for name, value in status.items()]


async def metrics(request: web.Request) -> web.Response:
    meters = request.app[METERS]
    async with work(request) as tx:
        totals, unfolded, jobs = await screens.totals(tx), await events.count_due(tx), await queue.waiting(tx)
    for kind in ("calls", "live", "scored", "flagged", "unknown", "assumed", "failed"):
        meters.calls.labels(kind).set(getattr(totals, kind))
    meters.jobs.clear()
    for name, count in jobs.items():
        meters.jobs.labels(name).set(count)
    meters.unfolded.set(unfolded)
    idle, opened = request.app[SERVICES].store.idle
    meters.connections.labels("idle").set(idle)
    meters.connections.labels("open").set(opened)
    return web.Response(body=generate_latest(meters.registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})
