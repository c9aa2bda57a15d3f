"""Language models: one client protocol, its adapters, and the reading of untrusted answers."""
