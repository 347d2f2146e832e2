"""One suite for every implementation of the `Host` protocol."""

from conformance.answering import AnsweringCases
from conformance.loading import LoadingCases
from conformance.reading import ReadingCases


class HostSuite(LoadingCases, ReadingCases, AnsweringCases):
    """Everything that a `Host` must do.

    To run it on a host, subclass it as `TestSomeHost` and override the fixture `subject`; a host
    that is slow to start may be shared, since each test unloads what it loaded.
    """
