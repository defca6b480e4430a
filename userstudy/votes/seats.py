"""Who gets a seat: one that nobody holds, and not all of them to one address.

An address is known by six hex digits of a keyed hash, kept with the rater's row while that session is under way and for
an hour after it began: in the store, so that all processes and replicas of a server count alike, and no longer. IPv6
counts by the /64 that a household or a phone is given, because one device can take any address of it.
"""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

import sqlalchemy as sa

from userstudy.design.study_file import Raters
from userstudy.votes.refusal import Refused
from userstudy.votes.tables import raters
from userstudy.votes.tokens import network_hash

HOUR = timedelta(hours=1)
ASK = "or ask whoever invited you: a lab or a classroom can be let in together (`labs` in the study file)"

# Built once: putting such statements together takes SQLAlchemy longer than running them.
UNDER_WAY = sa.and_(raters.c.outcome.is_(None), raters.c.last_seen > sa.bindparam("lately"))
OF_NETWORK = (
    sa.select(raters.c.rater, raters.c.created, UNDER_WAY.label("under_way"))
    .where(raters.c.study_id == sa.bindparam("study"), raters.c.network == sa.bindparam("its_network"))
    .order_by(raters.c.created)
)
FORGET = (
    raters.update()
    .where(raters.c.study_id == sa.bindparam("study"), raters.c.network.is_not(None), ~UNDER_WAY)
    .where(raters.c.created <= sa.bindparam("an_hour_ago"))
    .values(network=None)
)
HELD = sa.and_(
    raters.c.study_id == sa.bindparam("study"),
    raters.c.simulated == sa.bindparam("is_simulated"),
    raters.c.seat.is_not(None),
    sa.or_(raters.c.outcome == "complete", UNDER_WAY),
    raters.c.rater.not_in(sa.bindparam("excluded", expanding=True)),
)
SEATS = sa.select(sa.func.count(raters.c.seat.distinct()), sa.func.max(raters.c.seat)).where(HELD)
TAKEN = sa.select(raters.c.seat).where(HELD)


def network_of(address: str | None) -> str | None:
    """What counts as one address: an IPv4 address, the /64 of an IPv6 one; None for none (a test, a Unix socket)."""
    try:
        found = ip_address((address or "").partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return str(found) if found.version == 4 else str(ip_network((int(found) >> 64 << 64, 64)))


def seat_network(secret: bytes, limits: Raters, address: str | None) -> str | None:
    """What the store keeps of an address; None for those of a lab, and for none at all."""
    network = network_of(address)
    if network is None:
        return None
    theirs = ip_network(network)
    for lab in map(ip_network, limits.labs):
        if lab.version == theirs.version and lab.overlaps(theirs):
            return None
    return network_hash(secret, network)


def check_address(connection: sa.Connection, study_id: int, limits: Raters, network: str, excluded: set[str]) -> None:
    """Raises Refused if the network holds, or has begun within the hour, as many sessions as one address may."""
    theirs = connection.execute(OF_NETWORK, _now(study_id, limits) | {"its_network": network}).all()
    held = sum(row.under_way and row.rater not in excluded for row in theirs)
    if held >= limits.sessions_per_address:
        raise Refused(
            "crowded",
            f"{held} sessions from this network address are not finished yet, as many as one address may hold; wait "
            f"until one of them is done or {limits.seat_minutes:g} minutes silent, {ASK}",
        )
    lately = [row.created for row in theirs if row.created > _ago(HOUR)]
    if len(lately) >= limits.entries_per_hour:
        free = datetime.fromisoformat(lately[-limits.entries_per_hour]) + HOUR - datetime.now(UTC)
        raise Refused(
            "crowded",
            f"{len(lately)} sessions were begun from this network address within an hour, as many as one address may "
            f"begin; try again in {max(1, round(free.total_seconds() / 60))} minutes, {ASK}",
        )


def forget_networks(connection: sa.Connection, study_id: int, limits: Raters) -> None:
    """Deletes what is left of addresses that no limit counts any more."""
    connection.execute(FORGET, _now(study_id, limits) | {"an_hour_ago": _ago(HOUR)})


def free_seat(connection: sa.Connection, study_id: int, limits: Raters, simulated: bool, excluded: set[str]) -> int:
    """The lowest seat that no one holds. Raters who finished hold theirs; so do those seen lately."""
    asked = _now(study_id, limits) | {"is_simulated": simulated, "excluded": sorted(excluded)}
    number, last = connection.execute(SEATS, asked).one()
    if number >= limits.number:
        raise Refused("full", "all seats of this study are taken")
    if last is None or number == last + 1:  # no gap among them, as mostly
        return number
    taken = set(connection.scalars(TAKEN, asked))
    return next(seat for seat in range(number + 1) if seat not in taken)


def _now(study_id: int, limits: Raters) -> dict:
    return {"study": study_id, "lately": _ago(timedelta(minutes=limits.seat_minutes))}


def _ago(time: timedelta) -> str:
    return (datetime.now(UTC) - time).isoformat(timespec="microseconds")
