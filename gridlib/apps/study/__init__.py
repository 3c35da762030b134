"""Studies and pictures by a warm process of their own, so that whoever asks needs neither pandas nor a plot.

`worker` is the process, `process` starts it and keeps it running, `client` asks it, `protocol` says how.
"""
