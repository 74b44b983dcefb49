"""What people ask of the ledger: pure reads for the command line and the pages, each a small module of its own."""
