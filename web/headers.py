"""Headers that every answer has, whether the application or the server gives it, and how many a request may have."""

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}

# Bytes.
LONGEST_REQUEST_LINE = 4094
LONGEST_HEADER = 8190
MOST_HEADERS = 100
