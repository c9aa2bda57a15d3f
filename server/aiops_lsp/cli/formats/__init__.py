"""The forms of a review's output, one module each."""
