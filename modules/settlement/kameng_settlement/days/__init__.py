"""Days of the ledger: each is sealed when it is over, in a chain that shows any later change; and the nightly check."""
