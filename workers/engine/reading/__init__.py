"""What the model reads of a text: a cleaned view, in which each character knows its place in the text as sent.

Each step of the cleaning is a module with a function from view to view. ``steps`` has their order.
"""
