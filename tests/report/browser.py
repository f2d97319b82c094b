"""A headless Chromium that tests talk to over a pipe (the DevTools protocol), without any package."""

import base64
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PATIENCE_SECONDS = 20


def program() -> str | None:
    """Return the browser of this machine, if it has one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One page of a browser; `events` holds what it reported."""

    def __init__(self, folder: Path):
        self.events: list[dict] = []
        self.number, self.rest = 0, b""
        reading, self.writing = os.pipe()
        self.reading, writing = os.pipe()
        words = [program(), "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"]
        words += [
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            f"--user-data-dir={folder}",
            "about:blank",
        ]

        def as_three_and_four():  # where the browser looks for the pipe
            kept = os.dup(reading), os.dup(writing)
            os.dup2(kept[0], 3)
            os.dup2(kept[1], 4)

        self.process = subprocess.Popen(
            words, preexec_fn=as_three_and_four, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(reading)
        os.close(writing)
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def close(self):
        """End the browser."""
        self.process.kill()
        self.process.wait()
        os.close(self.writing)
        os.close(self.reading)

    def call(self, method: str, **parameters) -> dict:
        """Return the answer to a command of the protocol."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        message |= {"sessionId": self.session} if self.session else {}
        os.write(self.writing, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self.number:
            self.events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def _next(self) -> dict:
        while b"\0" not in self.rest:
            read = os.read(self.reading, 1 << 20)
            assert read, "the browser ended"
            self.rest += read
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def open(self, page: Path, width: int, height: int = 900, dark: bool = False) -> None:
        """Open a page on a screen of this size and wait until its script has run."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )
        self.features(dark)
        self.events.clear()
        self.call("Page.navigate", url=page.resolve().as_uri())
        self.wait("document.documentElement.dataset.ready == 'yes'")

    def wait(self, condition: str) -> None:
        """Wait until a condition in JavaScript is true."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not self.value(condition):
            assert time.monotonic() < until, f"{condition} did not become true: {self.complaints()}"
            time.sleep(0.05)

    def features(self, dark: bool = False, media: str = "screen") -> None:
        """Set the kind of output and the colour scheme."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def value(self, expression: str):
        """Return the value of JavaScript on the page."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def screenshot(self, path: Path) -> None:
        """Write what the screen shows."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def print(self, path: Path) -> None:
        """Write the page as PDF."""
        path.write_bytes(base64.b64decode(self.call("Page.printToPDF", printBackground=True)["data"]))

    def complaints(self) -> list[str]:
        """Return what the page asked of a server, and its errors."""
        found = []
        for event in self.events:
            details = event.get("params", {})
            match event.get("method"):
                case "Network.requestWillBeSent" if not details["request"]["url"].startswith(("file:", "data:")):
                    found.append(f"request: {details['request']['url'][:200]}")
                case "Runtime.exceptionThrown":
                    found.append(f"exception: {details['exceptionDetails']}")
                case "Runtime.consoleAPICalled" if details["type"] in ("error", "warning"):
                    found.append(f"console: {details['args']}")
                case "Log.entryAdded" if details["entry"]["level"] in ("error", "warning"):
                    found.append(f"log: {details['entry']['text']}")
        return found
