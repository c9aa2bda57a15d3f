"""Pure functions and data of the review: no event loop, no I/O, no clock, no LSP."""
