"""The one gate in front of everything that is served: studio, study, dashboard, API and MCP.

An ASGI middleware, outermost of all. What is not on the list of routes does not exist; a body is measured while it
comes and may not dawdle; a name that is not this server's, and a page of another site, are turned away; who asks is
read from the connection, or from the headers of a proxy that the administrator named. ``docs/security.md`` is what it
promises.
"""

import asyncio
import contextlib
import ipaddress
import re
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from demo.gate_routes import Route, find_route
from demo.hosting.figures import refused
from demo.places import Places
from demo.plain_routes import Refusal
from iph.errors import InputError

LOOPBACK = ("localhost", "127.0.0.1", "::1")
SAFE = ("GET", "HEAD")
MOST_DRAINED = 128 << 20  # bytes of a body refused on its way that are taken and forgotten
MOST_UNREAD = 1 << 20  # bytes of the body of a request refused by its head
SILENT_SECONDS = 1.0  # after which a sender has stopped
FORWARDED = (b"x-forwarded-", b"forwarded", b"x-real-ip", b"x-original-", b"x-gradio-server")
KEPT_FORWARDED = (b"x-forwarded-host", b"x-forwarded-proto")  # a named proxy's: Gradio makes its addresses of them
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:;"
    " style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; worker-src 'self' blob:;"
    " connect-src 'self' data: blob:; object-src 'none'; base-uri 'self'; form-action 'self' https://*.mturk.com"
)
REASONS = {400: "invalid", 403: "foreign", 404: "unknown", 408: "slow", 413: "large", 421: "host"}  # of the figures
PERMISSIONS = "accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()"


@dataclass(frozen=True)
class Rules:
    """What the administrator decides. hosts: names this server answers to, "*" for any. proxies: addresses or networks
    of the proxies in front, "*" for any peer. hops: how many of them there are. frames: sites that may show a page of
    this server in theirs. sockets: websockets that are open at a time, in all and from one client. chunk_seconds,
    body_seconds: how long the next part of a request may take, and all of it.
    """

    hosts: Sequence[str] = LOOPBACK
    proxies: Sequence[str] = ()
    hops: int = 1
    frames: Sequence[str] = ()
    sockets: int = 300
    sockets_per_client: int = 60
    chunk_seconds: float = 30
    body_seconds: float = 600


def own_names(host: str) -> tuple[str, ...]:
    """The names of a server that listens on ``host``, where nobody said others.

    On a loopback address those of loopback. Else also this machine's: a page that points a name of its own at this
    server (DNS rebinding) has neither those nor a bare address.
    """
    if host in LOOPBACK:
        return LOOPBACK
    return (*LOOPBACK, socket.gethostname().lower(), socket.getfqdn().lower(), "addresses")


def proxy_test(proxies: Sequence[str]) -> Callable[[str], bool]:
    """Whether an address is one of the named proxies'. Raises InputError for what is no address or network."""
    try:
        networks = [ipaddress.ip_network(one) for one in proxies if one != "*"]
    except ValueError as error:
        raise InputError(f"expected the proxies as addresses or networks, like 10.0.0.0/8: {error}") from None

    def is_proxy(peer: str) -> bool:
        return "*" in proxies or (_is_ip(peer) and any(ipaddress.ip_address(peer) in network for network in networks))

    return is_proxy


def counted_as(address: str) -> str:
    """The address that a client counts by: an IPv4 address, or the /64 of an IPv6 one, which is what one line has."""
    plain = re.sub(r"^\[([^\]]*)\](?::\d*)?$|^([\d.]+):\d*$", r"\1\2", address)  # some proxies add the port
    try:
        found = ipaddress.ip_address(plain.partition("%")[0])
    except ValueError:
        return plain
    if found.version == 4 or found.is_loopback:
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_address(int(found) >> 64 << 64))


class Gate:
    def __init__(self, app: ASGIApp, rules: Rules, limits: Mapping[str, int], routes: Iterable[Route]) -> None:
        """limits: the largest body in bytes, by the kind that a route names. routes: the list."""
        self.app, self.rules, self.limits, self.routes = app, rules, limits, tuple(routes)
        self._is_proxy = proxy_test(rules.proxies)
        self._sockets = Places(rules.sockets, rules.sockets_per_client)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        scope = self._seen_by_proxy(scope)
        headers = Headers(scope=scope)
        send = self._with_headers(scope, send)
        route = find_route(self.routes, scope.get("method", "WEBSOCKET"), scope["path"])
        reason = self._refused(scope, headers)
        if reason is None and route is None:
            reason = 404, "There is no such page on this server."
        if reason is not None:
            if scope["type"] == "http":
                await _drain(receive, MOST_UNREAD, self.rules.chunk_seconds)
            return await self._refuse(scope, receive, send, *reason)
        if scope["type"] == "websocket":
            try:
                with self._sockets.take(scope["client"][0]):
                    return await self.app(scope, receive, send)
            except Refusal as refusal:
                return await self._refuse(scope, receive, send, refusal.status, str(refusal))
        body = Body(receive, send, headers, self.limits[route.body], self.rules, one_file=route.body == "form")
        if body.refusal is None:
            try:
                await self.app(scope, body.receive, body.send)
            except Exception:  # an app is told that its client left, and may say so
                if body.refusal is None:
                    raise
        if body.refusal is not None and not body.answered:
            await body.drain()
            await self._refuse(scope, receive, send, *body.refusal)

    def _seen_by_proxy(self, scope: Scope) -> Scope:
        """The scope with the visitor's own address, and with no header that only a named proxy may set."""
        headers = Headers(scope=scope)
        peer = (scope.get("client") or ("", 0))[0]
        trusted = self._is_proxy(peer)
        said = [one.strip() for line in headers.getlist("x-forwarded-for") for one in line.split(",") if one.strip()]
        kept = [
            (name, value)
            for name, value in scope["headers"]
            if not name.startswith(FORWARDED) or (trusted and name in KEPT_FORWARDED)
        ]
        changed = {"headers": kept}
        if trusted and said:
            peer = said[-min(self.rules.hops, len(said))]
        changed["client"] = (counted_as(peer), (scope.get("client") or ("", 0))[1])
        if trusted and (proto := headers.get("x-forwarded-proto")) in ("http", "https"):
            secure = {"http": "https", "ws": "wss"}
            changed["scheme"] = secure.get(scope["scheme"], scope["scheme"]) if proto == "https" else scope["scheme"]
        return {**scope, **changed}

    def _refused(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        for name in ("host", "x-forwarded-host"):
            for host in headers.getlist(name) or ([""] if name == "host" else []):
                if not self._answers_to(host):
                    return 421, "This server does not answer to that name; its administrator can add it (IPH_HOSTS)."
        if self._is_foreign(headers) and scope.get("method") not in SAFE:
            return 403, "A page of another site may not do this."
        return None

    def _answers_to(self, host: str) -> bool:
        name = _name_of(host)
        if name is None:
            return False
        return "*" in self.rules.hosts or name in self.rules.hosts or ("addresses" in self.rules.hosts and _is_ip(name))

    def _is_foreign(self, headers: Headers) -> bool:
        """Whether a browser says that the request comes from a page of another site. Programs say nothing."""
        origin = headers.get("origin")
        if origin is None:
            return headers.get("sec-fetch-site") in ("cross-site", "same-site")
        ours = {headers.get("x-forwarded-host", headers.get("host", "")), headers.get("host", "")}
        there = urlsplit(origin)
        return there.scheme not in ("http", "https") or not any(_same_place(there.netloc, one) for one in ours)

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        frames = " ".join(("'self'", *self.rules.frames))

        async def sending(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(scope=message)
                for name in [name for name in headers.keys() if name.startswith("access-control-") or name == "server"]:
                    del headers[name]  # pages of other sites read nothing here, whatever a mounted app would allow
                headers["content-security-policy"] = f"{POLICY}; frame-ancestors {frames}"
                headers["x-content-type-options"] = "nosniff"
                headers.setdefault("referrer-policy", "same-origin")
                headers["permissions-policy"] = PERMISSIONS
                headers["cross-origin-resource-policy"] = "same-origin"
                if scope["scheme"] in ("https", "wss"):
                    headers["strict-transport-security"] = "max-age=31536000"
            await send(message)

        return sending

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, status: int, message: str) -> None:
        refused(REASONS.get(status, "busy"))
        if scope["type"] == "websocket":
            return await WebSocketClose(1008, message)(scope, receive, send)
        answer = JSONResponse({"code": "refused", "message": message}, status, {"connection": "close"})
        await answer(scope, receive, send)


class Body:
    """A request's body, measured while it comes. ``refusal``: why it is not taken; ``answered``: the app had begun to
    answer before that."""

    def __init__(
        self, receive: Receive, send: Send, headers: Headers, limit: int, rules: Rules, one_file: bool
    ) -> None:
        self._receive, self._send, self.limit, self.rules = receive, send, limit, rules
        self.refusal: tuple[int, str] | None = None
        self.answered = False
        self._size, self._whole, self._ends = 0, False, None
        self._parts = Parts(headers.get("content-type", "")) if one_file else None
        length = headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > 15:
            self.refusal = (400, "Expected the length of the request as a number of bytes.")
        elif int(length) > limit:
            self._too_large()

    async def receive(self) -> Message:
        if self.refusal is not None:
            return {"type": "http.disconnect"}
        if self._whole:
            return await self._receive()  # waits for the client to leave
        loop = asyncio.get_running_loop()
        self._ends = self._ends or loop.time() + self.rules.body_seconds
        patience = min(self.rules.chunk_seconds, max(0, self._ends - loop.time()))
        try:
            message = await asyncio.wait_for(self._receive(), patience)
        except TimeoutError:
            self.refusal = (408, "The request took too long to arrive.")
            return {"type": "http.disconnect"}
        if message["type"] == "http.request":
            chunk = message.get("body", b"")
            self._size += len(chunk)
            self._whole = not message.get("more_body")
            if self._size > self.limit:
                self._too_large()
            elif self._parts and self._parts.more_than_one(chunk):
                self.refusal = (413, "Expected one file a request.")
        return message if self.refusal is None else {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if self.refusal is not None and not self.answered:
            return  # the gate's own answer comes instead
        self.answered = self.answered or message["type"] == "http.response.start"
        await self._send(message)

    async def drain(self) -> None:
        if not self._whole:
            await _drain(self._receive, min(self.limit, MOST_DRAINED), self.rules.body_seconds)

    def _too_large(self) -> None:
        self.refusal = (413, f"The request is too large: at most {self.limit / 1e6:.4g} MB were expected.")


class Parts:
    """Counts the parts of a multipart body (RFC 2046) as it comes."""

    def __init__(self, content_type: str) -> None:
        _, _, rest = content_type.partition("boundary=")
        boundary = rest.split(";")[0].strip().strip('"').encode("latin-1", "replace")
        self._mark = b"--" + boundary if boundary else None
        self._tail, self._count = b"", 0

    def more_than_one(self, chunk: bytes) -> bool:
        """Whether there were more marks by now than those before and after one part."""
        if self._mark is None:
            return False
        data = self._tail + chunk
        self._count += data.count(self._mark)
        last = data.rfind(self._mark)
        unread = data if last < 0 else data[last + len(self._mark) :]
        self._tail = unread[-(len(self._mark) - 1) :]
        return self._count > 2


async def _drain(receive: Receive, most: int, seconds: float) -> None:
    """Take some more of a body and forget it: who is cut off while they still send does not read the answer."""
    message = {"more_body": True}
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while most > 0 and message.get("more_body"):
                message = await asyncio.wait_for(receive(), SILENT_SECONDS)
                most -= len(message.get("body", b""))


def _name_of(host: str) -> str | None:
    """The name of a Host header, without port; None for what is none."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _is_ip(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _same_place(one: str, other: str) -> bool:
    """Whether two of name and port are the same; a proxy may have taken or added the usual port."""

    def plain(place: str) -> str:
        return place.lower().removesuffix(":80").removesuffix(":443")

    return bool(one) and plain(one) == plain(other)
