"""The memory: the database, which alone is the truth.

SQLAlchemy tables, one module per port of the broker, reads for the doors, and the migrations. The two modules in
`ledger.dialect` hold claim, bulk insert and write-back; nothing else branches on which database it is.
"""
