"""`[server]`: where we listen, who may connect and read, and how the end goes."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from ticker.settings import origins
from ticker.settings.table import NO_CONTROL_CHARACTERS, NO_SPACES, Table

LONGEST_UNIX_PATH = 107


class ServerSettings(Table):
    """`[server]`: needs a restart."""

    secrets = ("admin_token", "tokens", "tokens_previous", "jwt_key", "jwt_key_previous")

    host: str = Field(
        "127.0.0.1",
        min_length=1,
        max_length=253,
        pattern=NO_SPACES,
        description="address to listen on; a name, an IPv4/IPv6 address, or unix:PATH for a Unix socket, whose peers are trusted proxies",
    )
    port: int = Field(5000, ge=0, le=65535, description="TCP port; 0 takes a free one and logs it")
    async_mode: Literal["eventlet"] = Field("eventlet", description="the concurrency library; the only one for now")
    allowed_origins: list[str] = Field(
        [], description='origins that may connect besides our own, exactly; "file://" and "null" where programs send these; "*" for all'
    )
    allowed_hosts: list[str] = Field(
        [],
        description='names it answers to, "*" for any; empty: on loopback its own names, the hosts of '
        "allowed_origins and no other, unless trusted_proxies is set; elsewhere any",
    )
    keep_alive_s: int = Field(
        75, ge=1, le=3600, description="how long an HTTP connection may wait between two requests, whole seconds; for its first it has 15"
    )
    ping_interval_s: int = Field(10, ge=1, le=300, description="Engine.IO ping, whole seconds")
    ping_timeout_s: int = Field(25, ge=1, le=300, description="a client that does not answer a ping so long is gone, whole seconds")
    drain_s: float = Field(
        5, ge=0, le=300, allow_inf_nan=False, description="at the end: the most to wait for clients that have not taken everything yet"
    )
    drain_min_s: float = Field(
        0,
        ge=0,
        le=300,
        allow_inf_nan=False,
        description="at the end: go on answering 503 for at least so long, until balancers send nobody any more",
    )
    frame_ancestors: list[str] = Field([], description="origins that may show /embed and /tape in a frame, besides our own")
    metrics: Literal["open", "loopback", "public", "off"] = Field(
        "loopback",
        description="who may read /metrics: anybody who may read quotes, this machine only (with a token where auth asks for "
        "one), anybody at all, nobody",
    )
    log_format: Literal["text", "json"] = Field("text", description="log lines as text, or each as a JSON object")
    admin_token: SecretStr | None = Field(
        None, min_length=16, description="lets its bearer add and remove symbols over HTTP; unset: nobody may"
    )
    auth: Literal["none", "token", "jwt"] = Field("none", description="who may read: everybody, who knows a token, or who has a signed one")
    tokens: SecretStr | None = Field(
        None,
        min_length=16,
        description='auth = "token": one or several that let their bearers read, with spaces, commas or line ends between',
    )
    tokens_previous: SecretStr | None = Field(None, min_length=16, description="the same, still good while clients change over")
    jwt_algorithm: Literal["HS256", "RS256", "EdDSA"] = Field("HS256", description='auth = "jwt": how tokens must be signed')
    jwt_key: SecretStr | None = Field(
        None, min_length=32, description="what they are checked with: the shared secret (HS256), or the public key as PEM"
    )
    jwt_key_previous: SecretStr | None = Field(None, min_length=32, description="the same, still good while the issuer changes over")
    jwt_issuer: str = Field("", max_length=200, pattern=NO_CONTROL_CHARACTERS, description="what must stand in their `iss`")
    jwt_audience: str = Field(
        "tickercast", min_length=1, max_length=200, pattern=NO_CONTROL_CHARACTERS, description="what must stand in their `aud`"
    )
    trusted_proxies: list[str] = Field(
        [], description="addresses, or networks as 10.0.0.0/8, whose X-Forwarded-For, -Proto and -Host are believed, and the PROXY protocol"
    )

    @field_validator("host")
    @classmethod
    def _unix_path(cls, host: str) -> str:
        if host.startswith("unix:") and not 0 < len(host.removeprefix("unix:").encode()) <= LONGEST_UNIX_PATH:
            raise ValueError(f"the path of a Unix socket has 1 to {LONGEST_UNIX_PATH} bytes")
        return host

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, proxies: list[str]) -> list[str]:
        for proxy in proxies:
            try:
                ip_network(proxy)
            except ValueError as error:
                raise ValueError(f"a proxy is an IP address, or a network as 10.0.0.0/8: {error}") from None
        return proxies

    @field_validator("allowed_hosts")
    @classmethod
    def _hosts(cls, hosts: list[str]) -> list[str]:
        return [origins.host(host) for host in hosts]

    @field_validator("allowed_origins")
    @classmethod
    def _origins(cls, listed: list[str]) -> list[str]:
        return [origins.origin(origin) for origin in listed]

    @field_validator("frame_ancestors")
    @classmethod
    def _framers(cls, listed: list[str]) -> list[str]:
        return [origins.framer(origin) for origin in listed]
