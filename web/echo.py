"""What of a request an answer repeats: names and addresses, cut to a length that a person still reads."""

MOST_ECHOED = 100  # characters
# Names, errors and the like that a sentence lists.
MOST_NAMED = 5


def cut(text: str, most: int = MOST_ECHOED) -> str:
    """The text, or its beginning if it has more than ``most`` characters."""
    return text if len(text) <= most else f"{text[:most]}…"
