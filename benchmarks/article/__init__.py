"""The baseline: the design of the article that this project began from, rebuilt faithfully.

One FastAPI process holds a pool of N ModelScope pipelines behind a lock. A request takes a free one, runs it and puts
it back; where none is free, it is told that the pool is exhausted. Nothing here is part of the product.
"""
