"""The answering side of SIP for recording sessions: transactions, dialogs, retransmissions. Messages in, messages out.

Takes INVITE, re-INVITE, UPDATE, ACK, CANCEL, BYE and OPTIONS; sends responses and BYE. It opens no sockets and reads no
session descriptions: whoever owns it answers each ``Invited`` and ``Changed`` by ``accept`` or ``reject``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field

from ingest.sip import Request, Response, params, uri_of, write_request, write_response

T1_S, T2_S = 0.5, 4.0
LIFE_S = 64 * T1_S  # how long a transaction is remembered, and a response without its ACK repeated
DIALOGS = 1000
TRANSACTIONS = 10_000
METHODS = "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE"
ACCEPTS = "application/sdp, application/rs-metadata+xml, multipart/mixed"
KNOWN = {"siprec", "timer"}  # what a Require may ask for
PORT = 5060  # where none is named
SHORTEST_S = 90  # session interval
Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Flow:
    """Where a message came from, and where its answer goes: an address over UDP, a connection over TCP."""

    address: Address
    connection: Hashable = None  # None = UDP

    @property
    def reliable(self) -> bool:
        return self.connection is not None


@dataclass(frozen=True, slots=True)
class Out:
    """Bytes to send."""

    data: bytes
    flow: Flow


@dataclass(frozen=True, slots=True)
class Invited:
    """A new session is offered."""

    key: str
    request: Request
    flow: Flow


@dataclass(frozen=True, slots=True)
class Changed:
    """A re-INVITE or UPDATE within a session: another offer, other metadata, or neither."""

    key: str
    request: Request
    flow: Flow


@dataclass(frozen=True, slots=True)
class Over:
    """The session is over: ``bye``, ``cancel``, ``expired`` (no refresh in time) or ``unconfirmed`` (no ACK)."""

    key: str
    cause: str


Event = Invited | Changed | Over


@dataclass(slots=True)
class _Transaction:
    """A request that may come again, or one of ours that waits for its response."""

    flow: Flow
    until_s: float
    answer: bytes = b""
    again_s: float | None = None  # when to send ``answer`` once more; None = only when asked
    step_s: float = T1_S


@dataclass(slots=True)
class _Dialog:
    key: str
    tag: str
    flow: Flow
    invite: Request
    seq: int
    pending: tuple[Request, Flow] | None = None  # waits for accept or reject
    confirmed: bool = False
    unacknowledged: Hashable = None  # the transaction whose 200 is repeated
    expires_s: float | None = None
    interval_s: int = 0
    own_seq: int = 0

    @property
    def remote_tag(self) -> str:
        return self.invite.from_tag


@dataclass(slots=True)
class SipServer:
    """All sessions of one port. ``contact`` is our own address as peers reach it."""

    contact: str
    new_tag: Callable[[], str]
    agent: str = "seatwatch"
    open: bool = True  # False: no new session is taken
    out: list[Out] = field(default_factory=list)
    _dialogs: dict[str, _Dialog] = field(default_factory=dict)
    _transactions: dict[Hashable, _Transaction] = field(default_factory=dict)
    _tidy_s: float = 0.0

    def __len__(self) -> int:
        return len(self._dialogs)

    @property
    def waiting(self) -> bool:
        """Whether something of ours is still to be answered."""
        return any(one.again_s is not None for one in self._transactions.values())

    def take(self) -> list[Out]:
        """What is to be sent now."""
        out, self.out = self.out, []
        return out

    def receive(self, message: Request | Response, flow: Flow, now_s: float) -> list[Event]:
        if isinstance(message, Response):
            self._response(message)
            return []
        if message.method == "ACK":
            self._ack(message)
            return []
        key = _branch(message)
        if (known := self._transactions.get(key)) is not None:
            if known.answer:
                self.out.append(Out(known.answer, _back(message, flow)))
            return []
        if len(self._transactions) >= TRANSACTIONS:
            return []
        self._transactions[key] = _Transaction(flow, now_s + LIFE_S)
        return self._request(message, flow, now_s)

    def accept(self, key: str, body: bytes, now_s: float, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Answer the offer that waits in this session with 200; nothing if it was withdrawn."""
        dialog = self._dialogs.get(key)
        if dialog is None or dialog.pending is None:
            return
        (request, flow), dialog.pending = dialog.pending, None
        said = [*self._own(request, flow), *self._timer(dialog, request, now_s), *headers]
        if body:
            said.append(("Content-Type", "application/sdp"))
        self._answer(request, flow, 200, now_s, dialog.tag, said, body)
        if request.method == "INVITE":
            dialog.unacknowledged = _branch(request)
            self._repeat(dialog.unacknowledged, now_s)

    def reject(self, key: str, status: int, why: str, now_s: float) -> None:
        """Refuse what waits. A session that was never accepted is forgotten; one that runs goes on as it was."""
        dialog = self._dialogs.get(key)
        if dialog is None or dialog.pending is None:
            return
        (request, flow), dialog.pending = dialog.pending, None
        if request is dialog.invite:
            del self._dialogs[key]
        warning = "".join(char for char in why if char.isprintable() and char not in '"\\')[:200]
        said = [("Warning", f'399 seatwatch "{warning}"')]
        if status == 503:
            said.append(("Retry-After", "30"))
        self._refuse(request, flow, status, now_s, dialog.tag, said)

    def hang_up(self, key: str, now_s: float) -> None:
        """End a session from our side; an offer that waits is refused."""
        self.reject(key, 503, "the recorder ends this session", now_s)
        dialog = self._dialogs.pop(key, None)
        if dialog is None:
            return
        self._quiet(dialog)
        dialog.own_seq += 1
        branch = f"z9hG4bK{self.new_tag()}"
        back = _back(dialog.invite, dialog.flow)
        self._transactions[branch] = _Transaction(back, now_s + LIFE_S, self._bye(dialog, branch))
        self.out.append(Out(self._transactions[branch].answer, back))
        self._repeat(branch, now_s)

    def tick(self, now_s: float) -> list[Event]:
        """Repeat what was not acknowledged, forget what is old, end what was not confirmed or refreshed in time."""
        for one in self._transactions.values():
            if one.again_s is not None and one.again_s <= now_s < one.until_s:
                self.out.append(Out(one.answer, one.flow))
                one.step_s = min(2 * one.step_s, T2_S)
                one.again_s = now_s + one.step_s
        events: list[Event] = []
        for dialog in list(self._dialogs.values()):
            if cause := self._lapsed(dialog, now_s):
                self.hang_up(dialog.key, now_s)
                events.append(Over(dialog.key, cause))
        if now_s >= self._tidy_s:
            self._tidy_s = now_s + 1
            self._transactions = {key: one for key, one in self._transactions.items() if one.until_s > now_s}
        return events

    def _lapsed(self, dialog: _Dialog, now_s: float) -> str:
        waits = self._transactions.get(dialog.unacknowledged)
        if waits is not None and waits.until_s <= now_s:
            return "unconfirmed"
        return "expired" if dialog.expires_s is not None and dialog.expires_s <= now_s else ""

    def _request(self, request: Request, flow: Flow, now_s: float) -> list[Event]:
        if request.method == "CANCEL":
            return self._cancel(request, flow, now_s)
        if request.method == "OPTIONS":
            self._options(request, flow, now_s)
        elif request.method not in ("INVITE", "BYE", "UPDATE"):
            self._refuse(request, flow, 405, now_s, "", [("Allow", METHODS)])
        elif unknown := sorted(set(request.words("require")) - KNOWN):
            self._refuse(request, flow, 420, now_s, "", [("Unsupported", ", ".join(unknown))])
        elif not request.to_tag and request.method == "INVITE":
            return self._invite(request, flow, now_s)
        else:
            return self._within(request, flow, now_s)
        return []

    def _invite(self, request: Request, flow: Flow, now_s: float) -> list[Event]:
        same = any(one.invite.call_id == request.call_id and one.remote_tag == request.from_tag
                   for one in self._dialogs.values())  # fmt: skip
        if same:
            self._refuse(request, flow, 482, now_s)
        elif not request.from_tag or not request.get("contact"):
            self._refuse(request, flow, 400, now_s)
        elif 0 < _interval(request) < SHORTEST_S:
            self._refuse(request, flow, 422, now_s, "", [("Min-SE", str(SHORTEST_S))])
        elif not self.open or len(self._dialogs) >= DIALOGS:
            self._refuse(request, flow, 503, now_s, "", [("Retry-After", "30")])
        else:
            tag = self.new_tag()
            dialog = _Dialog(tag, tag, flow, request, request.cseq[0], (request, flow))
            self._dialogs[tag] = dialog
            self._provisional(request, flow)
            return [Invited(tag, request, flow)]
        return []

    def _within(self, request: Request, flow: Flow, now_s: float) -> list[Event]:
        """A request inside a session."""
        dialog = self._dialog(request)
        if dialog is None:
            self._refuse(request, flow, 481, now_s)
            return []
        if request.method == "BYE":
            return self._end(dialog, request, flow, now_s)
        if request.cseq[0] <= dialog.seq:
            self._refuse(request, flow, 500, now_s)
            return []
        dialog.seq = request.cseq[0]
        if dialog.pending is not None or (request.method == "INVITE" and self._unconfirmed(dialog)):
            self._refuse(request, flow, 491, now_s)
            return []
        dialog.flow, dialog.pending = flow, (request, flow)
        if request.method == "INVITE":
            self._provisional(request, flow)
        return [Changed(dialog.key, request, flow)]

    def _end(self, dialog: _Dialog, request: Request, flow: Flow, now_s: float) -> list[Event]:
        self._quiet(dialog)
        if dialog.pending is not None:
            self._refuse(*dialog.pending, 487, now_s, dialog.tag)
        del self._dialogs[dialog.key]
        self._answer(request, flow, 200, now_s, "", [("Server", self.agent)])
        return [Over(dialog.key, "bye")]

    def _cancel(self, request: Request, flow: Flow, now_s: float) -> list[Event]:
        """Withdraws an INVITE that waits; afterwards it changes nothing."""
        if _branch(request, "INVITE") not in self._transactions:
            self._refuse(request, flow, 481, now_s)
            return []
        self._answer(request, flow, 200, now_s, self.new_tag())
        for dialog in self._dialogs.values():
            if dialog.pending is not None and _branch(dialog.pending[0]) == _branch(request, "INVITE"):
                invite, came = dialog.pending
                dialog.pending = None
                self._refuse(invite, came, 487, now_s, dialog.tag)
                if invite is dialog.invite:
                    del self._dialogs[dialog.key]
                    return [Over(dialog.key, "cancel")]
                break
        return []

    def _options(self, request: Request, flow: Flow, now_s: float) -> None:
        """Also how a border controller asks whether this recorder is alive and takes calls."""
        said = [("Allow", METHODS), ("Accept", ACCEPTS), ("Supported", "siprec, timer"), ("Server", self.agent)]
        self._answer(request, flow, 200 if self.open else 503, now_s, self.new_tag(), said)

    def _ack(self, request: Request) -> None:
        """Of a refusal it carries the INVITE's branch, of a 200 only its number."""
        if (refused := self._transactions.get(_branch(request, "INVITE"))) is not None:
            refused.again_s = None
        dialog = self._dialog(request)
        waits = self._transactions.get(dialog.unacknowledged) if dialog is not None else None
        if dialog is not None and waits is not None and _number(waits.answer) == request.cseq[0]:
            self._quiet(dialog)

    def _response(self, response: Response) -> None:
        """To a BYE of ours; nothing else of ours asks for one."""
        waits = self._transactions.get(response.via.branch)
        if waits is not None and response.status >= 200:
            waits.again_s = None

    def _dialog(self, request: Request) -> _Dialog | None:
        dialog = self._dialogs.get(request.to_tag)
        if dialog is None or (dialog.invite.call_id, dialog.remote_tag) != (request.call_id, request.from_tag):
            return None
        return dialog

    def _unconfirmed(self, dialog: _Dialog) -> bool:
        waits = self._transactions.get(dialog.unacknowledged)
        return waits is not None and waits.again_s is not None

    def _quiet(self, dialog: _Dialog) -> None:
        """The 200 has arrived, or does not matter any more."""
        if (waits := self._transactions.get(dialog.unacknowledged)) is not None:
            waits.again_s = None
        dialog.unacknowledged = None

    def _timer(self, dialog: _Dialog, request: Request, now_s: float) -> list[tuple[str, str]]:
        """The peer refreshes the session or lets it end. Where it asks us to refresh, there is no timer."""
        interval = _interval(request)
        ours = params(request.get("session-expires") or "").get("refresher") == "uas"
        if not interval or ours or "timer" not in request.words("supported"):
            if dialog.interval_s:
                dialog.expires_s = now_s + dialog.interval_s
            return []
        dialog.interval_s, dialog.expires_s = interval, now_s + interval
        return [("Session-Expires", f"{interval};refresher=uac"), ("Require", "timer")]

    def _own(self, request: Request, flow: Flow) -> list[tuple[str, str]]:
        routes = [("Record-Route", one) for one in request.every("record-route")]
        contact = f"{self.contact};transport=tcp" if flow.reliable else self.contact
        own = [("Contact", f"<{contact}>;+sip.srs"), ("Allow", METHODS), ("Accept", ACCEPTS)]
        return [*routes, *own, ("Supported", "siprec, timer"), ("Server", self.agent)]

    def _bye(self, dialog: _Dialog, branch: str) -> bytes:
        """Along the way that the INVITE came; the next hop is where it came from."""
        invite = dialog.invite
        transport = "TCP" if dialog.flow.reliable else "UDP"
        host = self.contact.rpartition("@")[2]
        routes = [("Route", one) for one in invite.every("record-route")]
        return write_request("BYE", uri_of(invite.get("contact") or "") or invite.uri, [
            ("Via", f"SIP/2.0/{transport} {host};branch={branch};rport"),
            ("Max-Forwards", "70"), *routes,
            ("From", f"{invite.get('to')};tag={dialog.tag}"), ("To", invite.get("from") or ""),
            ("Call-ID", invite.call_id), ("CSeq", f"{dialog.own_seq} BYE"), ("User-Agent", self.agent),
        ])  # fmt: skip

    def _provisional(self, request: Request, flow: Flow) -> None:
        data = write_response(request, 100, flow.address)
        self._transactions[_branch(request)].answer = data
        self.out.append(Out(data, _back(request, flow)))

    def _refuse(self, request: Request, flow: Flow, status: int, now_s: float, tag: str = "",
                headers: Iterable[tuple[str, str]] = ()) -> None:  # fmt: skip
        self._answer(request, flow, status, now_s, tag or self.new_tag(), headers)
        if request.method == "INVITE" and not flow.reliable:
            self._repeat(_branch(request), now_s)

    def _answer(self, request: Request, flow: Flow, status: int, now_s: float, tag: str = "",
                headers: Iterable[tuple[str, str]] = (), body: bytes = b"") -> None:  # fmt: skip
        data = write_response(request, status, flow.address, tag, headers, body)
        back = _back(request, flow)
        self._transactions[_branch(request)] = _Transaction(back, now_s + LIFE_S, data)
        self.out.append(Out(data, back))

    def _repeat(self, key: Hashable, now_s: float) -> None:
        """Until somebody says that it arrived. A 200 is repeated over TCP, too: not every hop need be TCP."""
        self._transactions[key].again_s = now_s + T1_S


def _branch(request: Request, method: str = "") -> Hashable:
    """What tells one request from its repetition."""
    via = request.via
    return via.branch, via.host, via.port, method or request.method, request.call_id, request.cseq[0]


def _back(request: Request, flow: Flow) -> Flow:
    """Over UDP to the machine that asked, at the port that it named: some listen on another than they send from."""
    if flow.reliable or request.via.rport:
        return flow
    return Flow((flow.address[0], request.via.port or PORT))


def _interval(request: Request) -> int:
    said = (request.get("session-expires") or "").partition(";")[0].strip()
    return int(said) if said.isascii() and said.isdigit() and len(said) <= 8 else 0


def _number(answer: bytes) -> int:
    """The CSeq of a response of ours."""
    return int(answer.partition(b"\r\nCSeq: ")[2].split(None, 1)[0])
