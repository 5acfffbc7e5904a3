"""What of a request an answer repeats: names and addresses, cut to a length that a person still reads."""

MOST_ECHOED = 100  # characters


def cut(text: str) -> str:
    """The text, or its beginning if it is long."""
    return text if len(text) <= MOST_ECHOED else f"{text[:MOST_ECHOED]}…"
