"""The suite is imported by its users, so its asserts must be told to explain themselves."""

import pytest

pytest.register_assert_rewrite(
    "conformance.subject",
    "conformance.loading",
    "conformance.reading",
    "conformance.answering",
)
