"""From a ModelScope model to a prepared folder: all that a worker needs to serve it.

A preparation goes through :mod:`source` (what is asked for), :mod:`hub` (fetch it), :mod:`checkpoint` (is it a RaNER
model, and whole), :mod:`original` (ModelScope's own loading of it), :mod:`tokenizer`, :mod:`export` (to ONNX, fused),
:mod:`quantise` (to INT8), :mod:`check` (against the original) and :mod:`build`, which runs these steps and writes the
folder. Workers use only :mod:`ensure`, with :mod:`index` and :mod:`manifest`: these import nothing heavy.
"""
