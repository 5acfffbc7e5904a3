"""The worker side: Celery tasks and the recognition engine. Never imports ``web``."""
