"""Other machines to measure on: the servers that have registered at an RPC tracker of TVM's under one key."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Any

from cnndsl.backends.tvm.library import load_tvm
from cnndsl.diagnostics.errors import MissingPart


@dataclass(frozen=True)
class Tracker:
    """A tracker's address and the key of the servers wanted."""

    host: str
    port: int
    key: str

    def config(self, timeout_s: int) -> Any:
        load_tvm()
        from tvm.s_tir.meta_schedule.runner import RPCConfig

        return RPCConfig(self.host, self.port, self.key, session_timeout_sec=timeout_s)

    def servers(self) -> int:
        """How many servers wait or work under the key. Raises `MissingPart` when there is none, or no tracker."""
        wait_s = 5
        try:
            # TVM's own client tries for a minute, and says so on stderr.
            socket.create_connection((self.host, self.port), wait_s).close()
            count = int(self.config(wait_s).count_num_servers())
        except (ValueError, OSError, RuntimeError) as error:
            raise MissingPart(
                f"no tracker answers at {self.host}:{self.port}",
                f"start one: `python -m tvm.exec.rpc_tracker --host 0.0.0.0 --port {self.port}`",
            ) from error
        if count == 0:
            address = f"{self.host}:{self.port}"
            raise MissingPart(
                f"the tracker at {address} has no server with the key {self.key!r}",
                "start one on the machine to measure: "
                f"`python -m tvm.exec.rpc_server --tracker {address} --key {self.key}`",
            )
        return count
