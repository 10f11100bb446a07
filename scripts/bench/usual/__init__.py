"""The usual ways of sending in bulk with Celery, small and honest, for `usual` to measure beside ours."""

URL_VARIABLE = "BULKSEND_BENCH_URL"
"""Tells the tasks where the gateway is, with the account in its path."""
