"""The HTTP side: validates, answers from the cache, enqueues, reports. Never imports ``workers`` or their libraries."""
