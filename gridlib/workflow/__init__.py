"""Intentions of people and schedules: one function, one transaction, one audit row each."""
