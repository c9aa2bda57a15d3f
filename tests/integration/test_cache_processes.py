"""Real processes on one result cache, some killed in the middle: what is read is what somebody wrote."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from aiops_lsp.core.regions import RegionKeys
from aiops_lsp.store.cache import ResultCache
from tests.support.cache_process import review

ROOT = Path(__file__).parents[2]


def start(folder: Path, seed: int, rounds: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.support.cache_process", str(folder), str(seed), str(rounds)]
    return subprocess.Popen(command, cwd=ROOT)


def test_processes_share_results_though_some_are_killed(tmp_path: Path) -> None:
    endless = [start(tmp_path, seed, 10**9) for seed in range(3)]
    finishing = [start(tmp_path, seed, 300) for seed in range(10, 13)]
    try:
        cache = ResultCache.open(tmp_path, busy_seconds=60)
        while cache.stats().entries < 25:
            assert all(process.poll() is None for process in endless)
            time.sleep(0.002)  # a poll, not a wait for time to pass
        for process in endless:
            process.kill()
        assert [process.wait() for process in finishing] == [0, 0, 0]
        hits = cache.get_many([RegionKeys(f"exact{number}", "") for number in range(50)])
        assert sum(hit is not None for hit in hits) >= 25
        assert all(hit is None or hit.record == review(number) for number, hit in enumerate(hits))
        assert cache.stats().rejected == 0
        cache.close()
    finally:
        for process in endless + finishing:
            process.kill()
            process.wait()
