"""What differs between two deployments: settings, accounts, Celery's options, logging; and nothing of the engine."""
