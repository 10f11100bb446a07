"""The command `simulator`: its options, parsed and handed to `serve`."""

import json
import os
from typing import Annotated

import typer

from scripts.cli.options import Host
from scripts.simulator.faults import KINDS
from scripts.simulator.limiter import WindowKind
from scripts.simulator.options import (
    DEFAULT_API_KEY,
    DEFAULT_API_TOKEN,
    SimulatorOptions,
    parse_fault,
    parse_limit,
    parse_over,
    parse_postback,
    parse_reject,
    with_shares_checked,
)
from scripts.simulator.server import LOOPBACK, serve

_KINDS = "; ".join(f"{name} ({kind.about})" for name, kind in KINDS.items())

app = typer.Typer(add_completion=False)


@app.command()
def simulator(
    *,
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)] = 0,
    host: Host = LOOPBACK,
    limit: Annotated[
        str | None, typer.Option(help="Calls an account may make in a window, as in 50/60s.", metavar="N/Ss")
    ] = None,
    window: Annotated[WindowKind, typer.Option(help="How calls are counted.")] = WindowKind.SLIDING,
    over: Annotated[str, typer.Option(help="Answer to a call over the limit.", metavar="429|503")] = "429",
    count_refused: Annotated[
        bool, typer.Option("--count-refused", help="Calls over the limit count in the window too.")
    ] = False,
    retry_after: Annotated[
        int | None, typer.Option(help="Seconds to send as Retry-After with a 429 or 503.", min=0)
    ] = None,
    retry_after_date: Annotated[
        bool, typer.Option("--retry-after-date", help="Send Retry-After as an HTTP date.")
    ] = False,
    rate_limit_headers: Annotated[
        bool, typer.Option("--rate-limit-headers", help="Send X-RateLimit-Limit, -Remaining and -Reset.")
    ] = False,
    latency: Annotated[float, typer.Option(help="Milliseconds before each answer.", min=0)] = 0.0,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help="KIND:SHARE (of all requests, 0 to 1), KIND#N or KIND#N-M (requests by number, from 1); "
            f"may be given several times. Kinds: {_KINDS}.",
            metavar="FAULT",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of every draw: faults with a share, and reports.")] = 0,
    drip: Annotated[float, typer.Option(help="Milliseconds between the pieces of a slow answer.", min=0)] = 100.0,
    balance: Annotated[int | None, typer.Option(help="Messages that may be accepted before 403/40001.", min=0)] = None,
    reject: Annotated[
        list[str] | None,
        typer.Option(
            help="Numbers that end in SUFFIX fail with this code, at the gateway that has it, as in 99=23040, 98=952; "
            "may be given several times.",
            metavar="SUFFIX=CODE",
        ),
    ] = None,
    sid: Annotated[
        list[str] | None,
        typer.Option(
            help="Account to know (sid, username or phone_number_id; for Skycore another API key), * for any; "
            "may be given several times (default: sim).",
            metavar="SID",
        ),
    ] = None,
    api_key: Annotated[str, typer.Option(help="API key to accept.")] = DEFAULT_API_KEY,
    api_token: Annotated[str, typer.Option(help="API token, or password at Xtend SMS, to accept.")] = DEFAULT_API_TOKEN,
    get_limit: Annotated[
        str | None, typer.Option(help="GETs for details an account may make in a window.", metavar="N/Ss")
    ] = None,
    reports: Annotated[
        float | None,
        typer.Option(
            help="Send delivery reports, the last of each message this many seconds after it was accepted.", min=0
        ),
    ] = None,
    report_failures: Annotated[float, typer.Option(help="Share of numbers reported undelivered.", min=0, max=1)] = 0.0,
    report_twice: Annotated[float, typer.Option(help="Share of numbers whose report comes twice.", min=0, max=1)] = 0.0,
    report_early: Annotated[
        float, typer.Option(help="Share of numbers whose report comes before the answer to the call.", min=0, max=1)
    ] = 0.0,
    report_shuffle: Annotated[
        bool, typer.Option("--report-shuffle", help="Each report has a delay of its own, up to that of --reports.")
    ] = False,
    report_reject: Annotated[
        list[str] | None,
        typer.Option(
            help="Numbers that end in SUFFIX are accepted, and reported undelivered with this code, as in 99=23005; "
            "may be given several times.",
            metavar="SUFFIX=CODE",
        ),
    ] = None,
    skycore_postback: Annotated[
        str | None, typer.Option(help="Where Skycore's reports go, which no call can say.", metavar="URL")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help='Print {"listening": URL} instead of the line for people.')
    ] = False,
) -> None:
    """Runs a stand-in for all gateways at once: nothing is sent, everything is remembered.

    It accepts calls as documented, and can be slow, strict or broken: Exotel SMS at /v1/Accounts/SID/Sms/send and
    Sms/bulksend (details at SMS/Messages/SMSSID), Exotel WhatsApp at /v2/accounts/SID/messages, Xtend SMS at
    /blank/sms/user/urlsms.php, Xtend WhatsApp at /v3/PHONE_NUMBER_ID/messages, Skycore at /skycore. A body with
    "poison" in double square brackets refuses its whole call (400/40202).

    On this machine, GET /_sim/stats, /_sim/messages, /_sim/requests and /_sim/config tell what it saw; POST
    /_sim/config and /_sim/reset change it while it runs.
    """
    options = SimulatorOptions(
        api_key=api_key,
        api_token=api_token,
        sids=tuple(sid or ["sim"]),
        limit=parse_limit(limit) if limit else None,
        window=window,
        over=parse_over(over),
        count_refused=count_refused,
        retry_after_s=retry_after,
        retry_after_date=retry_after_date,
        rate_limit_headers=rate_limit_headers,
        latency_ms=latency,
        drip_ms=drip,
        faults=tuple(map(parse_fault, fault or [])),
        seed=seed,
        balance=balance,
        rejects=tuple(map(parse_reject, reject or [])),
        get_limit=parse_limit(get_limit) if get_limit else None,
        reports_s=reports,
        report_failures=report_failures,
        report_twice=report_twice,
        report_early=report_early,
        report_shuffle=report_shuffle,
        report_rejects=tuple(map(parse_reject, report_reject or [])),
        skycore_postback=parse_postback(skycore_postback) if skycore_postback else None,
    )
    announce = (lambda url: print(json.dumps({"listening": url}), flush=True)) if as_json else None
    try:
        serve(with_shares_checked(options), host, port, announce=announce)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        typer.echo(f"cannot listen on {host}:{port}: {reason}", err=True)
        raise typer.Exit(1) from error
