"""The version, apart from everything else so that `cnndsl --version` reads nothing but this."""

__version__ = "0.1.0"
