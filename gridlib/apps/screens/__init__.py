"""Voila screens: one module each, shown by an app notebook of four cells."""
