"""Settings: a file that cannot be understood is refused with its name and the next step."""

import pytest

from gridlib.facts.errors import SettingsError
from gridlib.facts.settings import SETTINGS_FILE, read_settings


def test_a_file_that_is_not_utf_8_is_refused(tmp_path):
    text = '[site]\nname = "شركة الكهرباء"\n'
    (tmp_path / SETTINGS_FILE).write_bytes(text.encode("cp1256"))
    with pytest.raises(SettingsError, match="not UTF-8: byte 0xd4 at position 15") as caught:
        read_settings(tmp_path)
    assert str(tmp_path / SETTINGS_FILE) in str(caught.value)
    assert "UTF-8" in caught.value.what_to_do
    (tmp_path / SETTINGS_FILE).write_text(text, encoding="utf-8")
    assert read_settings(tmp_path).site.name == "شركة الكهرباء"
