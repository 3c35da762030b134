"""Rows of the store as records of the trade, and back.

Every statement on the operational tables is in this folder. Functions take the caller's connection, so that a
record and its audit row share one transaction.
"""
