"""Names of things, as types: a campaign's id can not be passed where an account's name is meant."""

from typing import NewType

CampaignId = NewType("CampaignId", str)
"""`<name>-<suffix>` or what `--id` gave: a-z 0-9 - _ . (not - first), at most 100 characters."""

AccountName = NewType("AccountName", str)
"""The account's key in the accounts file: a-z 0-9 - _ . (not - first), at most 64 characters."""

AttemptId = NewType("AttemptId", str)
"""One taking of a batch: 22 random URL-safe characters, made by the process that asks. It is the fence."""

Owner = NewType("Owner", str)
"""One worker process: host, pid and a random part; it holds seats and attempts."""
