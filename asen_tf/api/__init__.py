"""What one does with the library as plain functions, one file a verb; `asen_tf` has their names.

A program parses its flags, calls one of them and prints.
"""
