"""The SDK's names that the host builds on."""

import lmstudio
import pytest

from langchain_lmswitch.hosts.lmstudio.client import NEEDED, SUPPORTED, check_sdk


def test_the_installed_sdk_has_them() -> None:
    check_sdk(NEEDED)


def test_a_name_that_is_gone_is_told_with_the_version_and_the_range() -> None:
    with pytest.raises(ImportError) as caught:
        check_sdk([(lmstudio.AsyncClient, "_gone")])
    assert "AsyncClient._gone" in str(caught.value)
    assert lmstudio.__version__ in str(caught.value)
    assert SUPPORTED in str(caught.value)
