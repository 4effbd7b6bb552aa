"""The version of the client and of the library, whose setup.py reads it from here."""

__version__ = "0.2.0"
