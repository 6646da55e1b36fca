"""A URDF of one's own: what PyBullet takes without a word and no robot is, is refused; nothing is printed."""

from __future__ import annotations

import pytest
from sim.worlds_by_hand import world_of

from neuro_robot.config import from_dict
from neuro_robot.errors import SimulationError
from neuro_robot.sim.walk_simulation import QuadrupedSimConfig, QuadrupedSimulation
from neuro_robot.sim.world import Start

GROUND = Start(0.0, 0.0, 0.3)
LINK = """<link name="{name}">{inertial}{ball}</link>"""
INERTIAL = (
    """<inertial><mass value="{mass}"/><inertia ixx="0.01" ixy="0" ixz="0" iyy="0.01" iyz="0" izz="0.01"/></inertial>"""
)
BALL = """<collision><geometry><sphere radius="0.02"/></geometry></collision>"""
JOINT = """<joint name="{leg}_{part}_joint" type="{kind}"><parent link="{parent}"/><child link="{child}"/>
<origin xyz="{xyz}"/><axis xyz="{axis}"/><limit lower="-4" upper="4" effort="99" velocity="99"/></joint>"""


TRUNK, PART, AIR = (INERTIAL.format(mass=mass) for mass in (5, 0.1, 0))


def urdf(root=TRUNK, shank=PART, ball=BALL):
    """The A1's legs as points in space, with the A1's names."""
    parts = [LINK.format(name="trunk", inertial=root, ball="")]
    for leg, x, side in (("FR", 0.183, -1), ("FL", 0.183, 1), ("RR", -0.183, -1), ("RL", -0.183, 1)):
        above = "trunk"
        for part, kind, axis, xyz in (
            ("hip", "revolute", "1 0 0", f"{x} {side * 0.047} 0"),
            ("upper", "revolute", "0 1 0", f"0 {side * 0.0838} 0"),
            ("lower", "revolute", "0 1 0", "0 0 -0.2"),
            ("toe", "fixed", "0 0 1", "0 0 -0.2"),
        ):
            name = f"{leg}_{part}"
            inertial = shank if part == "lower" else PART
            parts.append(LINK.format(name=name, inertial=inertial, ball=ball if part == "toe" else ""))
            joint = JOINT.format(leg=leg, part=part, kind=kind, parent=above, child=name, xyz=xyz, axis=axis)
            parts.append(joint.replace("_toe_joint", "_toe_fixed"))
            above = name
    return f"<robot name='own'>{''.join(parts)}</robot>"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (urdf(), ""),
        (urdf(root=""), "the root link has no <inertial>"),
        (urdf(root=AIR), "the root link has no mass"),
        (urdf(shank=""), "FR_lower has no <inertial>"),
        (urdf(ball=""), "_toe has no <collision>"),
    ],
)
def test_what_pybullet_would_make_of_a_urdf_is_refused(tmp_path, capfd, text, told):
    (tmp_path / "own.urdf").write_text(text)
    config = from_dict(QuadrupedSimConfig, {"body": {"urdf": str(tmp_path / "own.urdf"), "kp": 60.0}})
    simulation = QuadrupedSimulation(world_of(start=GROUND), config)
    if told:
        with pytest.raises(SimulationError, match=told):
            simulation.reset()
    else:
        assert simulation.reset().outcome is None
        assert simulation.score.mass_kg == pytest.approx(5.0 + 16 * 0.1)
    simulation.close()
    assert capfd.readouterr() == ("", "")  # PyBullet's own warnings would spoil a JSON
