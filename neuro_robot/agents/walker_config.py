"""The walker's configuration: every parameter of its mind, group by group."""

from __future__ import annotations

from dataclasses import dataclass

from neuro_robot.agents.avoidance import NetworkConfig, PlasticityConfig
from neuro_robot.agents.columns import VisionConfig
from neuro_robot.agents.course import CourseConfig, TurningConfig
from neuro_robot.agents.cpg import CpgConfig
from neuro_robot.agents.gait import gaits_of
from neuro_robot.agents.kinematics import KinematicsConfig
from neuro_robot.agents.mind_config import MindConfig
from neuro_robot.agents.reward import RewardConfig
from neuro_robot.agents.stepping import StepConfig
from neuro_robot.agents.walk_feel import FeelConfig
from neuro_robot.agents.walk_tuning import TuningConfig
from neuro_robot.config import group, parameter


@dataclass(frozen=True)
class WalkerMindConfig(MindConfig):
    """Everything that makes one walker's mind differ from another's."""

    speed: float = parameter(0.6, "forward speed unless somebody commands a velocity, m/s", 0.0, 2.0)
    gait: str = parameter("trot", "trot, walk, pace or bound; or one after the other: trot bound@8s walk@15s")
    seeing: bool = parameter(True, "turn away from what the event camera sees")
    kinematics: KinematicsConfig = group(KinematicsConfig)
    cpg: CpgConfig = group(CpgConfig)
    step: StepConfig = group(StepConfig)
    feel: FeelConfig = group(FeelConfig)
    tuning: TuningConfig = group(TuningConfig)
    vision: VisionConfig = group(VisionConfig)
    network: NetworkConfig = group(NetworkConfig)
    plasticity: PlasticityConfig = group(PlasticityConfig)
    # eight times slower than the drone: what it expects changes as slowly, and the nose turns instead of a slip
    reward: RewardConfig = group(RewardConfig, tau_mean_ms=80_000.0)
    course: CourseConfig = group(CourseConfig, max_slip=0.5, homing=0.1, max_course_deg=0.0, lag_ms=500.0)
    turning: TurningConfig = group(TurningConfig)

    def __post_init__(self) -> None:
        """Raises ConfigError for gaits that are none."""
        gaits_of(self.gait)
