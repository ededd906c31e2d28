"""The lists of reasons: what a site may put into them."""

import pytest
from pydantic import ValidationError

from config.reasons import Reasons


def test_a_site_adds_its_own_reason_with_a_title_in_both_languages() -> None:
    own = Reasons.model_validate(
        {"hold": ["ivory", "look-closer"], "title": {"ivory": {"en": "Ivory?", "zh_CN": "疑似象牙"}}}
    )
    assert own.hold == ("ivory", "look-closer")
    assert own.title["ivory"].zh_CN == "疑似象牙"
    assert own.refuse == Reasons().refuse


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ({"hold": ["ivory"]}, r"\[reasons.title.ivory\]"),
        ({"hold": ["look-closer", "look-closer"]}, "names a reason twice"),
        ({"hold": list(Reasons().refuse + Reasons().hold + Reasons().send_back)}, "more than nine"),
        ({"hold": ["Look Closer"]}, "lower-case"),
        ({"holds": []}, "Extra inputs"),
        ({"title": {"ivory": {"en": "Ivory?"}}}, "zh_CN"),
    ],
)
def test_a_list_that_would_leave_an_officer_puzzled_is_refused(table: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        Reasons.model_validate(table)


def test_no_reason_is_asked_where_a_site_wants_none() -> None:
    assert Reasons.model_validate({"release": []}).release == ()
