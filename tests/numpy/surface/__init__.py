"""The surface of xform.numpy: sample calls of every name, what is checked of them, and the table of what holds."""
