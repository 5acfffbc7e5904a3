"""The HTTP side: validates, answers from the cache, enqueues, reports. Never imports ``workers`` nor what those need."""
