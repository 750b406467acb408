from __future__ import annotations

import pytest

from collector_testkit.plugin import forbidden

TESTS = """
    import pytest

    @pytest.mark.broker
    def test_kafka(broker):
        raise AssertionError("there is no broker here")

    @pytest.mark.captures
    def test_frames():
        raise AssertionError("there are no frames here")

    def test_folder(captures):
        raise AssertionError("there are no frames here")

    @pytest.mark.broker
    @pytest.mark.xfail(reason="known", strict=True)
    def test_known():
        raise AssertionError("expected to fail")

    @pytest.mark.broker
    def test_other():
        pytest.skip("a reason of its own")

    def test_prefixes(prefix, request):
        other = request.getfixturevalue("prefix")
        assert prefix == other
        assert prefix.startswith("t-")
"""


@pytest.fixture
def elsewhere(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project on a machine without broker, Java, Docker and recorded frames."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr("collector_testkit.broker.docker._SOCKET", pytester.path / "docker.sock")
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    monkeypatch.delenv("COLLECTOR_FORBID_SKIPS", raising=False)
    pytester.makeini(
        "[pytest]\nasyncio_default_fixture_loop_scope = function\n"
        "markers =\n    broker\n    captures\n"
    )
    pytester.makepyfile(TESTS)
    return pytester


def run(project: pytest.Pytester) -> pytest.RunResult:
    return project.runpytest_inprocess("-p", "collector_testkit.plugin", "-rs")


def test_tests_without_their_broker_are_skipped_with_the_reason(
    elsewhere: pytest.Pytester,
) -> None:
    result = run(elsewhere)
    result.assert_outcomes(passed=1, skipped=4, xfailed=1)
    result.stdout.fnmatch_lines(
        ["*no Kafka broker: KAFKA_BOOTSTRAP_SERVERS is not set*", "*recorded frames*"]
    )


def test_skips_can_be_forbidden(
    elsewhere: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLECTOR_FORBID_SKIPS", "1")
    result = run(elsewhere)
    # failures of the setup are errors; the folder's fixture alone marks nothing
    result.assert_outcomes(passed=1, skipped=1, xfailed=1, errors=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*COLLECTOR_FORBID_SKIPS forbids: *no Kafka broker*",
            "*COLLECTOR_FORBID_SKIPS forbids: *recorded frames*",
            "*COLLECTOR_FORBID_SKIPS forbids: *a reason of its own*",
        ]
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_skips_of_one_marker_can_be_forbidden(
    elsewhere: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLECTOR_FORBID_SKIPS", "broker")
    run(elsewhere).assert_outcomes(passed=1, skipped=2, xfailed=1, errors=1, failed=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", set()),
        ("0", set()),
        ("1", {"broker", "captures", "redis", "toolchains"}),
        ("captures", {"captures"}),
        ("broker, redis", {"broker", "redis"}),
    ],
)
def test_the_variable_names_markers(text: str, expected: set[str]) -> None:
    assert forbidden(text) == expected


def test_another_value_ends_the_run(
    elsewhere: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLECTOR_FORBID_SKIPS", "all")
    result = run(elsewhere)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*expected 1 or some of broker, captures, redis, toolchains in *_FORBID_SKIPS*'all'"]
    )
