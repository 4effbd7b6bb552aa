"""The command-line programs: each parses its flags and calls the library."""
