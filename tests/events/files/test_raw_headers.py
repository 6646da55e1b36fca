"""Headers of RAW and DAT files as cameras and tools of several years wrote them, and broken ones."""

import struct

import pytest

from neuro_robot.errors import FileFormatError
from neuro_robot.events.files import FORMATS, open_reader, open_writer

EVT2_BODY = struct.pack("<3I", 0x8 << 28 | 10, 0x1 << 28 | 3 << 22 | 7 << 11 | 9, 0x0 << 28 | 4 << 22 | 8 << 11 | 9)
EVT2_EVENTS = [(643_000, 7, 9, 1), (644_000, 8, 9, 0)]


def read(path, content, **options):
    path.write_bytes(content)
    with open_reader(path, **options) as reader:
        return reader, reader.read_all()


@pytest.mark.parametrize(
    "header",
    [
        b"% evt 2.0\n% geometry 640x480\n",
        b"% evt 2.0\n% geometry 640x480\n% end\n",
        b"% format EVT2;height=480;width=640\n% end\n",
        b"% Date 2020-09-25 07:48:31\r\n% evt 2.0\r\n% geometry 640 x 480\r\n% end\r\n",
        b"% evt 2.0\n% format EVT2\n% geometry 640x480\n% remark caf\xc3\xa9\n%  \n% end\n",
    ],
)
def test_headers_of_several_years(tmp_path, header):
    reader, chunk = read(tmp_path / "a.raw", header + EVT2_BODY)
    assert (reader.format, reader.width, reader.height) == ("evt2", 640, 480)
    assert chunk.events.tolist() == EVT2_EVENTS


def test_what_the_header_says_is_told(tmp_path):
    reader, _ = read(tmp_path / "a.raw", b"% serial_number 00000157\n% evt 2.0\n% geometry 64x48\n" + EVT2_BODY)
    assert reader.details == {"serial_number": "00000157", "evt": "2.0", "geometry": "64x48"}


def test_data_that_begins_like_a_header_line(tmp_path):
    """An old header has no end mark, and the first word's bytes can be "% "; text has no control characters."""
    body = b"% \x00\x08" + EVT2_BODY + b"\n"
    reader, chunk = read(tmp_path / "a.raw", b"% evt 2.0\n% geometry 640x480\n" + body)
    assert chunk.events.tolist() == EVT2_EVENTS
    assert reader.stats.torn_bytes == 1


def test_an_old_header_without_geometry(tmp_path):
    old = b"% evt 2.0\n" + EVT2_BODY
    with pytest.raises(FileFormatError, match=r"a\.raw: byte 0: .*geometry; give it .*for example 640x480"):
        read(tmp_path / "a.raw", old)
    reader, chunk = read(tmp_path / "a.raw", old, geometry=(640, 480))
    assert (reader.width, reader.height) == (640, 480)
    assert chunk.events.tolist() == EVT2_EVENTS
    with pytest.raises(FileFormatError, match=r"give it \(--geometry 640x480\)"):
        read(tmp_path / "a.raw", b"% system_ID 21\n" + old)


def test_times_that_faery_took_an_offset_off(tmp_path):
    _, chunk = read(tmp_path / "a.raw", b"% evt 2.0\n% geometry 640x480\n% t0 2056\n" + EVT2_BODY)
    assert chunk.events["t"].tolist() == [(643 + 2056) * 1000, (644 + 2056) * 1000]
    body = struct.pack("<2I", 5, 3 | 2 << 14 | 1 << 28)
    _, chunk = read(tmp_path / "a.dat", b"% Version 2\n% Width 304\n% Height 240\n% T0 2056\n\x00\x08" + body)
    assert chunk.events.tolist() == [(2061_000, 3, 2, 1)]


def test_a_file_without_any_header_is_read_when_all_is_said(tmp_path):
    _, chunk = read(tmp_path / "a.raw", EVT2_BODY, format="evt2", geometry=(640, 480))
    assert chunk.events.tolist() == EVT2_EVENTS
    with pytest.raises(FileFormatError, match=r"evt3.*evt2.*--input-format"):
        read(tmp_path / "a.raw", EVT2_BODY)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"% evt 2.0\n% geometry 0x480\n", r"byte 10: .*got 0x480"),
        (b"% evt 2.0\n% geometry 640x9999\n", r"byte 10: .*1x1 to 2048x2048, got 640x9999"),
        (b"% evt 2.0\n% geometry wide\n", r"byte 10: .*such as 1280x720, got 'wide'"),
        (b"% evt 2.0\n% geometry 64x48\n% time_base_us -5\n", r"byte 27: .*whole microseconds, got '-5'"),
        (b"% evt 2.0\n% geometry 64x48\n% time_base_us 9999999999999999\n", "byte 27"),
        (b"% evt 2.0\n% geometry 64x48\n% t0 soon\n", "byte 27: expected t0 in whole microseconds, got 'soon'"),
        (b"% evt 9.9\n% geometry 64x48\n", "byte 0: expected EVT3 data, got '9.9'"),
        (b"% geometry 64x48\n% format HISTO3D;width=64\n", "byte 17: expected EVT3 data, got 'HISTO3D'"),
        (b"% evt 2.1\n% geometry 64x48\n% endianness big\n", r"byte 27: .*little or legacy, got 'big'"),
        (b"% evt 2.0\n" + b"% key value\n" * 6000, r"byte 655\d\d: a header longer than 65536 bytes"),
        (b"% Version 2\n% Width 64\n% Height 48\n", "byte 35: expected the type and size"),
        (b"% Version 2\n% Width 64\n% Height 48\n\x28\x28", "byte 35: .*got type 40, size 40"),
        (b"% Version 2\n\x0c\x08", "byte 0: .*geometry; give it"),
        (b"% Version 7\n% Width 64\n% Height 48\n\x0c\x08", "byte 0: .*got version 7"),
        (b"% Version 1\n% Width 640\n% Height 480\n\x0c\x08", "1x1 to 512x256"),
    ],
)
def test_a_broken_header_is_refused_by_its_defect_and_place(tmp_path, content, message):
    name = "a.dat" if b"Version" in content else "a.raw"
    options = {} if b"Version 7" not in content else {"format": "dat"}
    if b"evt 9.9" in content or b"HISTO3D" in content or b"key value" in content:
        options = {"format": "evt3"}
    if b"endianness big" in content:
        options = {"format": "evt21"}
    with pytest.raises(FileFormatError, match=message):
        read(tmp_path / name, content, **options)


def test_a_contradiction_is_refused(tmp_path):
    with pytest.raises(FileFormatError, match="byte 10: the header says 64x48, but 640x480 was given"):
        read(tmp_path / "a.raw", b"% evt 2.0\n% geometry 64x48\n", geometry=(640, 480))
    with pytest.raises(FileFormatError, match="expected EVT4 data, got 'EVT2'"):
        read(tmp_path / "a.raw", b"% evt 2.0\n% geometry 64x48\n", format="evt4")


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (b"% evt 2.1\n", "evt21_legacy"),
        (b"% evt 2.1\n% system_ID 49\n", "evt21_legacy"),
        (b"% evt 2.1\n% system_ID 64\n", "evt21"),  # GenX320
        (b"% evt 2.1\n% endianness little\n", "evt21"),
        (b"% format EVT21;endianness=little;width=64;height=48\n", "evt21"),
        (b"% format EVT21;endianness=legacy;width=64;height=48\n", "evt21_legacy"),
    ],
)
def test_the_order_of_evt21_halves(tmp_path, header, name):
    header += b"" if b"width" in header else b"% geometry 64x48\n"
    halves = [(0, 0x8 << 28 | 1), (0b101, 0x1 << 28 | 2 << 22 | 32 << 11 | 5)]
    body = b"".join(struct.pack("<II", *(pair if name == "evt21" else pair[::-1])) for pair in halves)
    reader, chunk = read(tmp_path / "a.raw", header + body)
    assert reader.format == name
    assert chunk.events.tolist() == [(66_000, 32, 5, 1), (66_000, 34, 5, 1)]
    other = "evt21" if name == "evt21_legacy" else "evt21_legacy"
    with pytest.raises(FileFormatError, match="halves are in"):
        read(tmp_path / "a.raw", header + body, format=other)


def test_dat_files_of_several_years(tmp_path):
    body = struct.pack("<4I", 5, 3 | 2 << 14 | 1 << 28, 6, 4 | 2 << 14)
    head = b"% Data file containing CD events.\n% Version 2\n% Date 2020-01-01 00:00:00\n% Height 480\n% Width 640\n"
    for kind in (b"\x0c\x08", b"\x00\x08"):
        reader, chunk = read(tmp_path / "a.dat", head + kind + body)
        assert (reader.format, reader.width, reader.height) == ("dat", 640, 480)
        assert chunk.events.tolist() == [(5000, 3, 2, 1), (6000, 4, 2, 0)]
    old = struct.pack("<4I", 5, 303 | 200 << 9 | 1 << 17, 6, 4 | 2 << 9)
    for header in (b"% Data file containing TD events.\n", b"% Version 1.0\n"):
        reader, chunk = read(tmp_path / "old.dat", header + b"\x00\x08" + old, geometry=(304, 240))
        assert reader.format == "dat1"
        assert chunk.events.tolist() == [(5000, 303, 200, 1), (6000, 4, 2, 0)]


def test_the_table_of_formats(tmp_path):
    for name, entry in FORMATS.items():
        assert entry.name == name
        assert entry.description
        assert all(extension.startswith(".") and extension.islower() for extension in entry.extensions)
    with pytest.raises(FileFormatError, match="cannot be read"):
        open_reader(tmp_path / "missing.raw")
    with pytest.raises(FileFormatError, match="expected a format of evt3"):
        open_writer(tmp_path / "a.raw", 4, 4, format="evt5")
    with pytest.raises(FileFormatError, match="no format that can be written ends so"):
        open_writer(tmp_path / "a.mp3", 4, 4)
    with pytest.raises(FileFormatError, match="1x1 to 2048x2048 pixels, got 4000x4"):
        open_writer(tmp_path / "a.raw", 4000, 4)
    with pytest.raises(FileFormatError, match="cannot be written"):
        open_writer(tmp_path / "no" / "a.raw", 4, 4)
    with pytest.raises(FileFormatError, match="expected a geometry"):
        open_reader(tmp_path / "a.raw", geometry=(0, 4))
    (tmp_path / "a.mp3").write_bytes(b"ID3")
    with pytest.raises(FileFormatError, match="begins b'ID3' is of no format known here"):
        open_reader(tmp_path / "a.mp3")


def test_raw_is_written_as_evt3_unless_said(tmp_path):
    open_writer(tmp_path / "a.raw", 4, 4).close()
    with open_reader(tmp_path / "a.raw") as reader:
        assert reader.format == "evt3"
