"""The papers' tables: which rows they have, how long a row may train, what comes out."""
