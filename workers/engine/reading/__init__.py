"""Reading a text before the tokenizer: what the model sees of it, each character with its place in the text as sent.

A step takes a view to a view. ``steps`` has them in order; each is a module of its own.
"""
