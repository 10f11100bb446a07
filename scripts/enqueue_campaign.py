"""The Python interface in a few lines: `python scripts/enqueue_campaign.py` queues three messages and prints the id.

It needs BULKSEND_REDIS_URL and an account "main" in the accounts file; workers then send the messages. Recipients may
be any iterable of mappings, of any length: it is read once and never held in memory.
"""

import sys
from collections.abc import Iterator

from config.errors import ConfigError
from tasks import Campaign, enqueue


def people() -> Iterator[dict[str, str]]:
    """Give the recipients, here made up; they may as well come from a database's cursor."""
    for number, name in enumerate(["Asha", "Bala", "Chitra"], start=1):
        yield {"phone": f"+91900000000{number}", "name": name, "order_id": f"A-100{number}"}


def main() -> None:
    """Queue the campaign."""
    campaign = Campaign(
        name="order-update",
        accounts=("main",),
        to="phone",
        sender="EXOTEL",
        body="Dear {name}, order {order_id} is on its way.",
    )
    print(enqueue(campaign, people()))


if __name__ == "__main__":
    try:
        main()
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
