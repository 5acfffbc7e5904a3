"""HTML, XML and Markdown as the text they show, each character with its place in the source.

``read`` has the whole; ``html`` and ``markdown`` say what each form's marks stand for.
"""
