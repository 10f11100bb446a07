"""One adapter a gateway: it writes calls and reads answers, and does no I/O."""
