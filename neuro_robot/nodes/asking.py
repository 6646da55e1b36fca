"""Service requests that get their answer on a busy machine too.

The middleware drops an answer when the server has not found the asking client yet (rmw_fastrtps waits 0.1 s for it),
although the client has found the server; where discovery takes long, one would wait for ever. So what may be asked
twice is asked again, and after a transition, which may not, the node is asked for its state.
"""

from __future__ import annotations

import math
import time
from typing import Any

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.node import Node

AGAIN_S = 5.0
GOALS = {"configure": "inactive", "activate": "active", "deactivate": "inactive", "cleanup": "unconfigured"}


class Question:
    """A request that is sent as soon as the service is there, and again until an answer comes."""

    def __init__(self, node: Node, kind: Any, service: str, request: Any, again_s: float = AGAIN_S) -> None:  # noqa: ANN401
        self._node, self._request, self._again_s = node, request, again_s
        self._client = node.create_client(kind, service)
        self._futures: list[Any] = []
        self.sent_at = math.inf  # monotonic time of the last sending

    def poll(self) -> Any:  # noqa: ANN401 - a response
        """The answer, or None as long as there is none; for the node's executor to be run in between."""
        for future in self._futures:
            if future.done():
                return future.result()
        now = time.monotonic()
        if (not self._futures or now - self.sent_at > self._again_s) and self._client.service_is_ready():
            self._futures.append(self._client.call_async(self._request))
            self.sent_at = now
        return None

    def close(self) -> None:
        """No longer interested."""
        self._node.destroy_client(self._client)


class Change:
    """A lifecycle transition asked of a node."""

    def __init__(self, node: Node, name: str, step: str) -> None:
        """`name` with namespace; `step` a key of GOALS."""
        request = ChangeState.Request(transition=Transition(id=getattr(Transition, f"TRANSITION_{step.upper()}")))
        self._change = Question(node, ChangeState, f"{name}/change_state", request, again_s=math.inf)
        self._node, self._name, self._goal = node, name, GOALS[step]
        self._state: Question | None = None
        self._elsewhere = 0

    def poll(self) -> bool | None:
        """Whether it was made; None as long as that is not known.

        A node answers nothing while it is in a transition, so a state that is told afterwards is the outcome; told
        twice, since the first may have been asked before the transition was.
        """
        answer = self._change.poll()
        if answer is not None:
            return bool(answer.success)
        if time.monotonic() - self._change.sent_at < AGAIN_S or self._change.sent_at == math.inf:
            return None
        if self._state is None:
            self._state = Question(self._node, GetState, f"{self._name}/get_state", GetState.Request())
        state = self._state.poll()
        if state is None:
            return None
        self._state.close()
        self._state = None
        if state.current_state.label == self._goal:
            return True
        self._elsewhere += 1
        return False if self._elsewhere > 1 else None

    def close(self) -> None:
        """No longer interested."""
        self._change.close()
        if self._state is not None:
            self._state.close()
