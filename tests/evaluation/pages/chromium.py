"""A headless Chromium without a network, watched through the DevTools protocol while it opens one local page."""

import base64
import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

_SETTLE_S = 0.2
_MESSAGES = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")


@dataclass(frozen=True)
class Visit:
    """What the browser did for a page: URLs asked for, what reached the console, and the PNG of the whole page."""

    requests: tuple[str, ...]
    messages: tuple[str, ...]
    png: bytes
    evaluated: Any


class Browser:
    """One tab of a running Chromium."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._number = 0
        self._session: str | None = None
        self._events: list[dict[str, Any]] = []
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._ask(f"{domain}.enable")
        self._ask("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)

    def visit(self, page: Path, *, width: int = 1280, scheme: str = "light", script: str = "null") -> Visit:
        """Open a page, wait until it is loaded and quiet, evaluate a script in it, and picture all of it."""
        self._open(page, width, scheme)
        requests = tuple(self._seen("Network.requestWillBeSent", "request", "url"))
        messages = tuple(json.dumps(event["params"]) for event in self._events if event["method"] in _MESSAGES)
        evaluated = self._ask("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")
        picture = self._ask("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        return Visit(requests, messages, base64.b64decode(picture), evaluated)

    def print_pdf(self, page: Path) -> bytes:
        """The page as it comes on A4 paper."""
        self._open(page, 1280, "light")
        paper = {"paperWidth": 8.27, "paperHeight": 11.69, "printBackground": True}
        return base64.b64decode(self._ask("Page.printToPDF", **paper)["data"])

    def _open(self, page: Path, width: int, scheme: str) -> None:
        self._ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self._ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self._ask("Log.clear")
        self._events.clear()
        self._ask("Page.navigate", url=page.as_uri())
        deadline = time.monotonic() + 30
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            self._listen(deadline - time.monotonic())
        quiet = time.monotonic() + _SETTLE_S
        while (left := quiet - time.monotonic()) > 0:
            try:
                self._listen(left)
            except TimeoutError:
                break

    def _seen(self, method: str, *keys: str) -> Iterator[str]:
        for event in self._events:
            if event["method"] == method:
                found = event["params"]
                for key in keys:
                    found = found[key]
                yield found

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        session = {"sessionId": self._session} if self._session else {}
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": params} | session))
        deadline = time.monotonic() + 30
        while (answer := self._listen(deadline - time.monotonic())).get("id") != self._number:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def _listen(self, timeout_s: float) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._socket.recv(timeout=max(timeout_s, 0.0)))
        if "method" in message:
            self._events.append(message)
        return message


@contextmanager
def running(program: Path, folder: Path) -> Iterator[Browser]:
    """Chromium with its own profile in a folder; it is ended by its process id."""
    command = [
        str(program),
        "--headless=new",
        f"--user-data-dir={folder}",
        "--remote-debugging-port=0",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--hide-scrollbars",
        "--no-first-run",
        "about:blank",
    ]
    if os.geteuid() == 0:
        command.insert(1, "--no-sandbox")
    with (folder / "chromium.log").open("wb") as log:
        home = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_CACHE_HOME": str(folder)}
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **home}
        )
    try:
        port, path = _devtools(process, folder)
        with connect(f"ws://127.0.0.1:{port}{path}", proxy=None, max_size=None, compression=None) as socket:
            yield Browser(socket)
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _devtools(process: "subprocess.Popen[bytes]", folder: Path) -> tuple[str, str]:
    """Port and path of the debugging socket, from the file Chromium writes when it listens."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            lines = (folder / "DevToolsActivePort").read_text().splitlines()
        except FileNotFoundError:
            lines = []
        if len(lines) == 2:
            return lines[0], lines[1]
        time.sleep(0.05)
    raise RuntimeError(f"Chromium does not listen: {(folder / 'chromium.log').read_text(errors='replace')[-2000:]}")
