"""Every error of ingest, as one tree. Each message says the place, what is wrong and what to do. Raises nothing itself.

IngestError
├── ProtocolError        the peer sent what the protocol does not allow (carries the WebSocket close code)
│   ├── AudioSocketError     on the AudioSocket port
│   ├── StreamError          on /stream
│   ├── AudioHookError       on /audiohook
│   ├── MediaStreamError     on /media-stream
│   ├── PcmError             on /pcm
│   ├── SipError             on the SIPREC port: SIP, SDP or metadata (carries the SIP status to answer with)
│   ├── RtpError             a datagram on a media port that is no audio of ours
│   ├── PaceError            more than real time allows, of audio or of words beside it
│   ├── AmiError             Asterisk's manager port sent what is no AMI, or refused the log-in
│   └── BodyError            the body of POST /events as a whole
├── SignatureError       a signed request whose signature is missing, wrong, old or used before
├── TokenError           a UUID or token that is not ours, has expired or was used before
├── SpoolError           the spool
│   ├── SpoolFull            the queue in front of the writer has no room; nothing of the request was taken
│   ├── SpoolLocked          another process writes this folder
│   ├── SpoolGone            a file was released while it was looked for
│   └── SpoolFailed          a write failed and its outcome is unknown: the process must end and restart from disk
├── SinkAway             the place where committed rows go cannot be reached; the tailer tries again
├── PortTaken            a port that ingest listens on is in use
├── OpenToAll            an address that others reach, and no key
└── ClientError          a sender could not deliver
    ├── AriError             Asterisk's REST interface is away, or does not know us
    └── Refused              the server refused for good; trying again does not help
"""

from __future__ import annotations


class IngestError(Exception):
    """Anything that ingest says to the person or program that can put it right."""


class ProtocolError(IngestError):
    """The peer broke the protocol; the connection is closed and what came before stays stored."""

    def __init__(self, message: str, code: int = 1002) -> None:
        super().__init__(message)
        self.code = code


class AudioSocketError(ProtocolError):
    """A packet that AudioSocket does not allow."""


class StreamError(ProtocolError):
    """A message that /stream does not allow."""


class PaceError(ProtocolError):
    """A sender that is faster than sound."""


class AudioHookError(ProtocolError):
    """A message that AudioHook does not allow."""


class MediaStreamError(ProtocolError):
    """A message that /media-stream does not allow."""


class SipError(ProtocolError):
    """A message, a session description or metadata that cannot be taken; ``status`` is what SIP answers."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class RtpError(ProtocolError):
    """A datagram that is no RTP packet of G.711 audio. Counted, never answered."""


class AmiError(ProtocolError):
    """Lines that are no AMI, or a log-in that Asterisk refused."""


class BodyError(ProtocolError):
    """A request body of POST /events that cannot be taken as a list of events."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class SignatureError(IngestError):
    """A signature that proves nothing."""


class PcmError(ProtocolError):
    """A message that /pcm does not allow."""


class TokenError(IngestError):
    """A UUID or token that does not open a leg."""


class SpoolError(IngestError):
    """The spool cannot do what was asked."""


class SpoolFull(SpoolError):
    """No room in the queue or on the disk; nothing was taken, send again later."""


class SpoolLocked(SpoolError):
    """Another process writes this spool folder."""


class SpoolGone(SpoolError):
    """A spool file was released or moved away meanwhile."""


class SpoolFailed(SpoolError):
    """A failed write: what it left on disk is unknown until the files are read again by a new process."""


class SinkAway(IngestError):
    """The sink cannot be reached now."""


class PortTaken(IngestError):
    """A port that ingest listens on is in use."""


class OpenToAll(IngestError):
    """Ingest would listen where other machines reach it, and ask nobody for a key."""


class ClientError(IngestError):
    """A sender could not deliver."""


class AriError(ClientError):
    """Asterisk's REST interface cannot be reached, or refuses our name."""


class Refused(ClientError):
    """The server refused for good."""
