"""Opens the web part's socket, on a loopback address only. It makes no application."""

from __future__ import annotations

import errno

from aiohttp import web

from qa.web.guard import check_bind


class CannotListen(Exception):
    """The address cannot be taken; the sentence says what to do."""


_WHY = {
    errno.EADDRINUSE: "another program uses it; stop that one or set SEATWATCH_WEB_PORT",
    errno.EACCES: "this user may not; set SEATWATCH_WEB_PORT to 1024 or more",
    errno.EADDRNOTAVAIL: "this machine has no such address; set SEATWATCH_WEB_HOST to 127.0.0.1",
}


async def listen(app: web.Application, host: str, port: int) -> tuple[web.AppRunner, int]:
    """Serve the application; the runner to clean up with, and the port (chosen by the system for 0)."""
    check_bind(host)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=5)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        why = _WHY.get(error.errno or 0, error.strerror or "it cannot be opened")
        raise CannotListen(f"web: {host} port {port}: {why}") from error
    return runner, int(runner.addresses[0][1])
