"""What a browser complains of while a test runs, and what it asks of other hosts than the farm."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Request, WebError

# What stays on this side of the network.
LOCAL_SCHEMES = ("about", "blob", "data")


class Complaints:
    """Errors on the console, among them what the Content-Security-Policy refused; exceptions that nobody caught;
    dialogs; requests to a host that is not ``host``."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._heard: list[str] = []
        self._expected: list[re.Pattern[str]] = []

    def watch(self, context: BrowserContext) -> None:
        """Listen to all pages of a context."""
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)
        context.on("dialog", self._on_dialog)
        context.on("request", self._on_request)

    def expect(self, pattern: str) -> None:
        """Say that complaints in which this is found belong to the test."""
        self._expected.append(re.compile(pattern))

    def expect_status(self, *statuses: int) -> None:
        """Say that the server answers with these, which the browser writes on its console; 0: it does not answer."""
        for status in statuses:
            self.expect(rf"Failed to load resource: .*status of {status} " if status else r"net::ERR_")

    def forget(self) -> None:
        """Hold nothing against the page that it has complained of so far."""
        self._heard.clear()

    @property
    def unexpected(self) -> list[str]:
        """What the test did not say it would see."""
        return [said for said in self._heard if not any(pattern.search(said) for pattern in self._expected)]

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._heard.append(f"console: {message.text} ({message.location.get('url')})")

    def _on_error(self, error: WebError) -> None:
        self._heard.append(f"exception: {error.error.stack or error.error.message}")

    def _on_dialog(self, dialog: Dialog) -> None:
        self._heard.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _on_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in LOCAL_SCHEMES and address.netloc != self._host:
            self._heard.append(f"request to another host: {request.url}")
