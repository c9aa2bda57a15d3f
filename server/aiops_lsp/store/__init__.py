"""What survives the process: the result cache and the spending ledger, shared by all windows."""
