"""The review engine: when to review, what may be sent, and what is shown. Knows no LSP."""
