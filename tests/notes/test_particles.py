"""Korean particles follow the figure as it is read aloud."""

from __future__ import annotations

import pytest

from chartinsightd.notes.particles import with_particle


@pytest.mark.parametrize(
    ("figure", "following", "shown"),
    [
        ("72,300원", "은(는) 높다", "은 높다"),
        ("1.3%", "을 올랐다", "를 올랐다"),
        ("2.4배", "으로", "로"),
        ("11월 18일", "으로", "로"),
        ("11월 18일", "이라", "이라"),
        ("54.1", "는", "은"),
        ("54.2", "은", "는"),
        ("쌍바닥", "가", "이"),
        ("상승", "와 함께", "과 함께"),
        ("하락", "(으)로 바뀜", "으로 바뀜"),
        ("72,300원", "은행보다", "은행보다"),
        ("72,300원", " 위", " 위"),
    ],
)
def test_a_particle_fits_the_figure(figure: str, following: str, shown: str) -> None:
    """After a consonant 은 이 을 과 으로, after a vowel 는 가 를 와 로, after ㄹ 로; words stay whole."""
    assert with_particle(figure, following) == shown
