"""Items on disk: records in SQLite, vectors in flat files.

    STORE/
      store.db          SQLite: fingerprint, ids, labels, metadata, and which vectors count
      vectors-000001/   0.f32 [N, D] and so on, a matrix an attribute, only appended to;
                        .f16 of a store of dtype=float16
      LOCK              held by the process that writes

A write appends vectors and waits until they are on the disk; then one transaction makes them count,
with their records and their CRC-32. What a killed write has appended is not counted, and is written
over. Rows of items that were replaced or deleted stay until the matrices are written anew.
"""
