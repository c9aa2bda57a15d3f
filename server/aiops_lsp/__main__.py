"""`python -m aiops_lsp` is the same as `aiops-lsp`."""

from __future__ import annotations

import sys

from aiops_lsp.cli import main

if __name__ == "__main__":
    sys.exit(main())
