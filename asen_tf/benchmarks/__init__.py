"""How fast the library is, and how near to what the machine can do."""
