"""A route is described where its view is written, and only there: a decorator says what is asked for and who may ask, the view's signature
says what it takes and what it answers.

From this come the blueprint that serves the views (`blueprint`), their part of the OpenAPI document (`web.api.openapi`), and how long their
answers may be given to others (`lasts_s`, `shown`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Protocol, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from flask import Blueprint, Response, g, request
from msgspec import Meta

from ticker import wire
from web.auth.identity import ANYBODY, Identity
from web.http.cache import route_of

JSON = "application/json"

Who = Literal["anybody", "reader", "admin"]
"""Who may ask: anybody; who may read, where `server.auth` asks for a token (`web.http.guard`); the bearer of the admin token."""
Shows = Literal["nothing", "state", "prices"]
"""What makes an answer another one, apart from time: nothing, the state of symbols, feeds and settings, or prices too."""

_OF_A_SYMBOL = {  # `ticker.symbols.check`
    "minLength": 1,
    "maxLength": 32,
    "pattern": r"^[A-Za-z0-9^][A-Za-z0-9.\-_=^:+]*(/(\.*[A-Za-z0-9\-_=^:+][A-Za-z0-9.\-_=^:+]*|\.{3,}))*$",
}
SymbolName = Annotated[str, Meta(extra_json_schema=_OF_A_SYMBOL)]
SymbolInPath = Annotated[SymbolName, Meta(description="Percent-decoded once; a slash in it may be sent as it is.")]
NONE: Mapping[Any, Any] = MappingProxyType({})


class Other(NamedTuple):
    """An answer with another status that is no error: what it means, and what is in it."""

    meaning: str
    answer: Any


class Route(NamedTuple):
    """What there is to say of a route. `path` as Flask writes it; `status`: of an answer when all is well."""

    method: str
    path: str
    summary: str
    view: Callable[..., Any]
    who: Who
    status: int
    query: Mapping[str, Any]
    body: Any
    errors: Mapping[int, str]
    others: Mapping[int, Other]
    media: tuple[str, ...]
    is_tagged: bool
    kept_s: float | None
    shows: Shows

    @property
    def name(self) -> str:
        """Of the view."""
        return self.view.__name__

    @property
    def template(self) -> str:
        """The path as OpenAPI writes it."""
        return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", self.path)

    def parameters(self) -> dict[str, Any]:
        """The types of what stands in the path, by name."""
        hints = get_type_hints(self.view, include_extras=True)
        return {name: hints[name] for name in re.findall(r"<(?:\w+:)?(\w+)>", self.path)}

    def answer(self) -> Any:
        """The type of the answer when all is well: what the view returns, unless that is a response made by hand."""
        returned = get_type_hints(self.view, include_extras=True)["return"]
        kinds = get_args(returned) if get_origin(returned) in (Union, UnionType) else (returned,)
        (kind,) = [kind for kind in kinds if kind is not Response] or [str]
        return kind


View = TypeVar("View", bound=Callable[..., Any])


class Decorator(Protocol):
    """What leaves a view as it is, but for what it says of it."""

    def __call__(self, view: View) -> View:
        """The view."""


_ROUTE = "route"  # the attribute of a view that has one


def get(
    path: str,
    summary: str,
    *,
    who: Who = "reader",
    query: Mapping[str, Any] = NONE,
    errors: Mapping[int, str] = NONE,
    others: Mapping[int, Other] = NONE,
    media: tuple[str, ...] = (JSON,),
    is_tagged: bool = True,
    kept_s: float | None = None,
    shows: Shows = "nothing",
) -> Decorator:
    """Describe a view that answers GET: with a struct, or a response (an error, a text).

    `query`: the types of the fields of the query. `errors`: what a status means here, beside what it means everywhere. `is_tagged`: it has
    an `ETag`, and is answered with 304 to who has it. `kept_s`: for so long at most the answer is given to others, unless what it `shows`
    has changed; `None`: each is made anew.
    """
    return _described("GET", path, summary, who=who, status=200, query=query, body=None, errors=errors, others=others, media=media,
                      is_tagged=is_tagged, kept_s=kept_s, shows=shows)  # fmt: skip


def change(
    method: Literal["POST", "PUT", "DELETE"], path: str, summary: str, *, status: int, errors: Mapping[int, str], body: Any = None
) -> Decorator:
    """Describe a view that changes something, for the bearer of the admin token. `body`: the type of what is sent."""
    return _described(method, path, summary, who="admin", status=status, query=NONE, body=body, errors=errors, others=NONE, media=(JSON,),
                      is_tagged=False, kept_s=None, shows="nothing")  # fmt: skip


def _described(method: str, path: str, summary: str, **more: Any) -> Decorator:
    def decorate(view: View) -> View:
        setattr(view, _ROUTE, Route(method=method, path=path, summary=summary, view=view, **more))
        return view

    return decorate


def routes_of(*views: type) -> list[Route]:
    """The routes of these classes, in the order in which they are written."""
    return [route for kind in views for view in vars(kind).values() if (route := getattr(view, _ROUTE, None)) is not None]


def blueprint(name: str, views: object) -> Blueprint:
    """What serves the views of an object."""
    made = Blueprint(name, __name__)
    for route in routes_of(type(views)):
        made.add_url_rule(route.path, route.name, _responding(route, getattr(views, route.name)), methods=[route.method])
    return made


def lasts_s(routes: Iterable[Route]) -> dict[str, float]:
    """How long answers may be given to others, by route as `web.http.cache` knows it."""
    return {route_of(route.path): route.kept_s for route in routes if route.kept_s is not None}


def shown(routes: Iterable[Route]) -> dict[str, Shows]:
    """What answers that may be given to others show, by route as `web.http.cache` knows it."""
    return {route_of(route.path): route.shows for route in routes if route.kept_s is not None}


def _responding(route: Route, view: Callable[..., Any]) -> Callable[..., Response]:
    def respond(**given: Any) -> Response:
        said = view(**given)
        if isinstance(said, Response):
            return said
        return tagged(said) if route.is_tagged else answer(said, route.status)

    return respond


# Answers.


def answer(payload: object, status: int = 200) -> Response:
    """`payload` as JSON. Numbers are finite: anything else would be null."""
    return Response(msgspec.json.encode(payload), status, mimetype=JSON, headers={"Cache-Control": "no-store"})


def error(status: int, code: str, message: str) -> Response:
    """The shape of every error."""
    return answer(wire.Error(error=wire.Problem(code=code, message=message)), status)


def tagged(payload: object) -> Response:
    """`payload` as JSON with an `ETag`; 304 and no body for a client that has it already."""
    body = msgspec.json.encode(payload)
    tag = hashlib.blake2b(body, digest_size=12).hexdigest()
    response = Response(body, mimetype=JSON, headers={"Cache-Control": "no-cache"})
    response.set_etag(tag)
    response.make_conditional(request.environ)
    return response


def reader() -> Identity:
    """Who sends the request that is being answered (`web.http.guard` found it out)."""
    identity: Identity = g.get("identity", ANYBODY)
    return identity
