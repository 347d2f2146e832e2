"""Which ledger a host gets."""

import time
from pathlib import Path

import pytest
from langchain_core.messages import HumanMessage
from pydantic import SecretStr

from langchain_lmswitch.graph.routers import router
from langchain_lmswitch.ledger.memory import MemoryLedger
from langchain_lmswitch.ledger.sqlite import SqliteLedger
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.boards import boards
from langchain_lmswitch.switch.portal import portal
from langchain_lmswitch.testing import ScriptedHost, card, served


@pytest.mark.parametrize("remember", [True, False])
def test_what_a_found_host_does_is_remembered_unless_the_settings_say_no(
    tmp_path: Path, *, remember: bool
) -> None:
    host = ScriptedHost([card("one-1b"), card("two-7b")])
    with served(host) as at:
        settings = Settings(
            base_url=at.host_port, api_key=SecretStr(at.token), home=tmp_path, remember=remember
        )
        chosen = portal().call(router(settings, retries=0).explain([HumanMessage("Hello")], {}))
        board = portal().call(boards().find(settings))
        [noted] = board.ledger.decisions(5)
        board.ledger.close()

    assert noted.outcome["model"] == chosen.model
    assert isinstance(board.ledger, SqliteLedger if remember else MemoryLedger)
    assert settings.ledger_path.exists() == remember
    later = SqliteLedger(settings.ledger_path).decisions(5)
    assert [one.outcome for one in later] == ([noted.outcome] if remember else [])
    assert noted.at_s == pytest.approx(time.time(), abs=60)
