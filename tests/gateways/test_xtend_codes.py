"""Xtend's error table: whole, each code with a class, both meanings where the document gives two."""

import pytest

from worker.domain.delivery import Feedback
from worker.gateways.xtend_codes import CodeClass, code_described, feedback_of, meaning_of, meanings

DOCUMENTED = (
    "0-15 18-27 29-51 53-54 60-72 74 77 80-288 300-308 400-404 407 409-441 496-497 500-504 507-511 520-521 "
    "530-531 536-541 550 600-700 703 715 792-796 801 804 951-956 959 997 999"
)
"""The decimal codes of the document's table, its ranges ("604 - 609", "671-699") among them."""
LETTERED = (
    "20A 20B 20C 20D 20E 20F 21A 21B 21C 21D 21E 21F 22C 22D 22E 22F 23A "
    "40A 40B 40C 40D 40E 40F 41A 41B 41C 41D 41E 41F 42A 42B 42C 42D 42E 42F"
)


def spread(ranges):
    """All codes of ranges such as "3-5 9"."""
    pairs = (part.partition("-") for part in ranges.split())
    return [str(code) for first, _, last in pairs for code in range(int(first), int(last or first) + 1)]


def test_every_code_of_the_document_is_in_the_table_and_no_other():
    assert sorted(meanings()) == sorted(spread(DOCUMENTED) + LETTERED.split())


def test_every_code_has_a_meaning_without_a_number_of_anybody():
    for code, meaning in meanings().items():
        assert meaning_of(code) is meaning
        assert meaning.texts
        assert all(text == text.strip() != "" for text in meaning.texts)
        assert len(set(meaning.texts)) == len(meaning.texts)


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        ("0", ("Successfully Delivered",)),
        ("7", ("Reply path not found", "UNKNOWN EQUIPMENT")),
        ("24", (
            "Originating reservation denied call case blocked for subscription type", "call forbidden",
            "System failure (unknown error code)",
        )),
        ("154", ("EC_NNR_subsystemCongestion", "Facility not supported")),
        ("201", ("Absent subscriber", "System failure")),
        ("217", ("UNKNOWN", "Internal IPC Router Failure")),
        ("245", ("HLR:the remote address not reachable", "VMSC:Invalid Destination")),
        ("424", ("EC_PEID_NOT_MATCHED_WITH_HEADER",)),
        ("431", ("EC_TEMPLATE_VARIABLE_EXCEEDED_MAX_LENGTH",)),
        ("436", ("EC_INVALID_TEMPLATE_TYPE", "Duplicate Number within 30 Min")),
        ("604", ("INVALID_ENTITY_ID", "ENTITY_RESERVED")),
        ("607", ("ENTITY_RESERVED",)),
        ("623", ("PEID_NOT_MATCHED_WITH_HEADER", "HEADER_RESERVED")),
        ("651", ("INVALID_PROMO_TIME", "PREFERENCE_RESERVED (Partial or Full DND)")),
        ("699", ("SCRUBBING_RESERVED",)),
        ("20F", ("Error CUG Reject",)),
    ],
)  # fmt: skip
def test_a_code_keeps_all_that_the_document_says_of_it(code, texts):
    assert meaning_of(code).texts == texts


def test_a_code_listed_twice_keeps_both_sentences():
    first, second = meaning_of("804").texts
    assert first == "Message Multipart not complete within the time frame"
    assert second.startswith("operator connections was not responding at that time")
    assert meaning_of("804").text == f"{first} or {second}"


STOPPING = "111-114 116-117 179 232 253 415 418 421-428 430 433-435 438 520-521 600-609 620-632 634 637 651 700 953 956"


@pytest.mark.parametrize(
    ("code_class", "codes"),
    [
        (CodeClass.UNCLEAR, "0 8 80 184 200 703"),
        (CodeClass.THROTTLE, "74 83 287 997"),
        (CodeClass.ACCOUNT, "118-119 419-420 501 610-619 955 959"),
        (CodeClass.CAMPAIGN, STOPPING),
        (
            CodeClass.MESSAGE,
            "97 115 202 209 222 226 230-231 247 265-266 304 416 429 431-432 436 510 530-531 540 633 635-636 638-649",
        ),
    ],
)
def test_what_is_not_one_recipients_matter_is_listed_here_whole(code_class, codes):
    assert sorted(spread(codes)) == sorted(
        code for code, meaning in meanings().items() if meaning.code_class is code_class
    )


@pytest.mark.parametrize(
    ("code_class", "codes"),
    [
        (CodeClass.RECIPIENT, "1 5 27 60 99 123 150 168 177 178 204 205 216 221 241 252 300 413 437 440 550 650 652"),
        (CodeClass.RECIPIENT, "655 660 669 801 951 952 954 999 20A 20D 21B 22D"),
        (CodeClass.TEMPORARY, "2 10 34 88 96 100 137 194 248 307 400 441 500 502 670 699 715 804 20E 40A 42F"),
    ],
)
def test_a_refusal_of_one_message_is_the_recipients_or_the_networks(code_class, codes):
    for code in codes.split():
        assert meaning_of(code).code_class is code_class


@pytest.mark.parametrize(
    ("feedback", "codes"),
    [
        (Feedback.REFUSES_PROMOTION, "168 216 437 439 650 652 653 659 952"),
        (Feedback.OPTED_OUT, "177 205 250 252 801 951 999"),
        (Feedback.THROTTLED, "74 83 287 997"),
        (Feedback.MISCONFIGURED, "111 416 421 429 431 440 441 501 520 600 609 612 635 649 651 660 670 699 953 955 959"),
        (Feedback.NOTHING, "0 1 6 34 96 400 436 500 715 804 954 20A 42F 9999 ABC nonsense"),
    ],
)
def test_a_code_in_a_report_feeds_back(feedback, codes):
    for code in codes.split():
        assert feedback_of(code) is feedback
    assert feedback_of("") is Feedback.NOTHING


def test_whatever_stops_a_campaign_or_an_account_is_misconfigured_in_a_report():
    for code, meaning in meanings().items():
        if meaning.code_class in {CodeClass.CAMPAIGN, CodeClass.ACCOUNT}:
            assert feedback_of(code) is Feedback.MISCONFIGURED


@pytest.mark.parametrize(("spelling", "code"), [("20a", "20A"), (" 953 ", "953"), ("007", "7"), ("000", "0")])
def test_a_code_is_found_however_it_is_spelt(spelling, code):
    assert meaning_of(spelling) is meaning_of(code)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("Invalid Number", "954"), ("error: INVALID_NUMBER!", "954"), ("Error Gateway", "275"),
        ("ENTITY_RESERVED", "606"),  # and those after it
        ("Error", ""), ("", ""), ("Invalid", ""),
        ("Blocked due to exceeded quota", ""),  # 64, which may mean "Absent subscriber"
        ("Submit_SM_Timeout", ""),  # 703 is no certain failure
    ],
)  # fmt: skip
def test_a_code_is_found_by_its_description_where_that_is_certain(words, code):
    assert code_described(words) == code


def test_codes_that_share_their_only_description_are_of_one_class():
    for meaning in meanings().values():
        if (code := code_described(meaning.text)) and len(meaning.texts) == 1:
            assert meaning_of(code).code_class is meaning.code_class


@pytest.mark.parametrize("code", ["", " ", "9999", "-1", "20G", "1.0", "٣"])
def test_a_code_that_the_document_does_not_have_has_no_meaning(code):
    assert meaning_of(code) is None
