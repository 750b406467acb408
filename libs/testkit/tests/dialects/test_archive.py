"""Old answers, and no more of them than fit."""

from __future__ import annotations

from collector_testkit.dialects.archive import Archive
from collector_testkit.dialects.messages import Request

SECOND = 1_000_000
ASKED = Request("/book", {"symbol": "A", "limit": "5"})


def test_the_newest_answer_that_is_old_enough() -> None:
    archive = Archive()
    for second in range(5):
        archive.keep(ASKED, b"%d" % second, second * SECOND)
    same = Request("/book", {"limit": "5", "symbol": "A"}, client="another")
    assert archive.before(same, 3 * SECOND) == b"3"
    assert archive.before(same, 3 * SECOND - 1) == b"2"
    assert archive.before(same, 99 * SECOND) == b"4"
    assert archive.before(same, -1) is None
    assert archive.before(Request("/book", {"symbol": "B"}), 99 * SECOND) is None


def test_answers_that_follow_close_are_not_kept() -> None:
    archive = Archive()
    archive.keep(ASKED, b"a", 0)
    archive.keep(ASKED, b"b", 1000)
    assert archive.before(ASKED, SECOND) == b"a"


def test_the_oldest_go_when_there_are_too_many_bytes() -> None:
    archive = Archive(max_bytes=10)
    other = Request("/other")
    archive.keep(other, b"xxxx", 0)
    for second in range(1, 4):
        archive.keep(ASKED, b"%d234" % second, second * SECOND)
    assert archive.before(other, 9 * SECOND) is None
    assert archive.before(ASKED, SECOND) is None
    assert archive.before(ASKED, 2 * SECOND) == b"2234"
    archive.keep(ASKED, b"x" * 11, 9 * SECOND)
    assert archive.before(ASKED, 99 * SECOND) is None
