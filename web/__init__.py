"""The HTTP side: validates, answers from the cache, enqueues, reports. Never imports ``workers`` or the engine's libraries."""
