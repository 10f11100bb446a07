"""The ledger: the only truth about every campaign, in Redis. One Lua script a step, one wrapper a script."""
