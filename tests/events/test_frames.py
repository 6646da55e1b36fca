import numpy as np
import pytest

from neuro_robot.errors import PacketError
from neuro_robot.events import EVENT_DTYPE, empty_events, event_image


def test_no_events_give_a_plain_light_ground():
    image = event_image(empty_events(), 4, 3)
    assert image.shape == (3, 4, 3)
    assert image.dtype == np.uint8
    assert len(np.unique(image.reshape(-1, 3), axis=0)) == 1
    assert image.min() > 200


def test_on_is_blue_off_is_red_and_more_is_stronger():
    rows = [(0, 0, 0, 1), (1, 1, 0, 0)] + [(2, 2, 1, 1)] * 5 + [(3, 3, 2, 0)] * 5 + [(4, 0, 2, 1), (4, 0, 2, 0)]
    image = event_image(np.array(rows, EVENT_DTYPE), 4, 3).astype(int)
    red, blue = image[..., 0], image[..., 2]
    assert blue[0, 0] > red[0, 0]
    assert red[0, 1] > blue[0, 1]
    assert red[1, 2] < red[0, 0], "five ON events cover more of the ground than one"
    assert blue[2, 3] < blue[0, 1]
    assert abs(red[2, 0] - blue[2, 0]) < 20, "one of each is a mixture"
    touched = {(0, 0), (0, 1), (1, 2), (2, 3), (2, 0)}
    ground = image[0, 2]
    assert {(y, x) for y in range(3) for x in range(4) if (image[y, x] != ground).any()} == touched


def test_bad_input_is_refused():
    with pytest.raises(PacketError, match=r"event 1: pixel \(4, 0\) is outside the 4x3 picture"):
        event_image(np.array([(0, 0, 0, 1), (0, 4, 0, 1)], EVENT_DTYPE), 4, 3)
    with pytest.raises(PacketError, match="at least 1x1"):
        event_image(empty_events(), 0, 3)
    with pytest.raises(PacketError, match="EVENT_DTYPE"):
        event_image(np.zeros(3), 4, 3)
