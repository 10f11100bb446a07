"""The campaign file: what is taken, and the one sentence for what is not."""

import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from config.errors import ConfigError
from worker.domain.ascii_template import AsciiTemplate
from worker.domain.template import compile_template
from worker.intake.campaign import Campaign, check_id
from worker.intake.campaign_file import load_campaign
from worker.intake.exotel_options import ExotelOptions
from worker.intake.schedule_options import ScheduleOptions
from worker.intake.skycore_options import SkycoreOptions

SMALLEST = 'name = "offer"\naccounts = ["main"]\nbody = "Hi {name}"\n'


@pytest.fixture
def load(tmp_path):
    def load_text(text):
        path = tmp_path / "offer.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_campaign(path)

    return load_text


@pytest.fixture
def complaint(load, tmp_path):
    """The sentence for a file, without the file's name, which each sentence begins with."""

    def complain(text):
        with pytest.raises(ConfigError) as caught:
            load(text)
        sentence = str(caught.value)
        assert sentence.startswith(str(tmp_path / "offer.toml"))
        assert "\n" not in sentence
        return sentence.removeprefix(str(tmp_path / "offer.toml")).removeprefix(": ")

    return complain


def test_the_smallest_campaign_has_the_defaults_of_the_contract(load):
    campaign = load(SMALLEST)
    assert campaign == Campaign(name="offer", accounts=("main",), body="Hi {name}")
    assert campaign.to == "to"
    assert campaign.default_country == "IN"
    assert campaign.sender is None
    assert campaign.sms_type == "transactional"
    assert campaign.recipients is None


EXAMPLE = (Path(__file__).parents[2] / "config" / "campaign.example.toml").read_text(encoding="utf-8")
LEFT_OUT = re.compile(r"^# (?=\[?\w+(?:\]$| = ))", re.MULTILINE)
BLOCKS = [block for block in EXAMPLE.split("\n\n") if LEFT_OUT.search(block)]


def test_the_example_loads_and_names_every_key_of_a_campaign_and_of_its_tables(load):
    assert load(EXAMPLE).sender == "EXOTEL"
    document = tomllib.loads(LEFT_OUT.sub("", EXAMPLE))
    known = {field.serialization_alias or name for name, field in Campaign.model_fields.items()}
    assert document.keys() == known
    for table, options in (("exotel", ExotelOptions), ("skycore", SkycoreOptions), ("schedule", ScheduleOptions)):
        assert document[table].keys() == options.model_fields.keys()


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: LEFT_OUT.sub("", block).split()[0])
def test_what_the_example_leaves_out_can_be_taken_in(load, block):
    text = EXAMPLE.replace(block, LEFT_OUT.sub("", block))
    if "[content]" in block:
        text = re.sub("^body = .*$", "", text, flags=re.MULTILINE)
    document = load(text).model_dump(by_alias=True, exclude_unset=True)
    assert document.keys() >= tomllib.loads(LEFT_OUT.sub("", block)).keys()


def test_every_key_that_is_supported_is_taken(load, tmp_path):
    campaign = load(
        SMALLEST
        + 'recipients = "lists/a.csv"\nto = "phone"\ndefault_country = "GB"\nfrom = "EXOTEL"\n'
        + 'sms_type = "transactional"\ndlt_entity_id = "11"\ndlt_template_id = "12"\n'
        + 'priority = "normal"\non_unconfirmed = "hold"\n'
    )
    assert campaign.recipients == str(tmp_path / "lists/a.csv")
    assert (campaign.to, campaign.default_country, campaign.sender) == ("phone", "GB", "EXOTEL")
    assert (campaign.dlt_entity_id, campaign.dlt_template_id) == ("11", "12")


EXOTEL = """
dlt_entity_id = "11"
[exotel]
encoding_type = "unicode"
priority = "high"
shorten_url = true
shorten_url_params = { Header = "EXOTEL", Tracking = "true" }
custom_field = "order desk"
status_callback = "https://reports.example.com/sms"
"""


def test_the_exotel_table_becomes_options_of_the_call(load):
    campaign = load(SMALLEST + EXOTEL)
    assert campaign.options == {
        "dlt_entity_id": "11",
        "encoding_type": "unicode",
        "exotel_priority": "high",
        "shorten_url": "true",
        "shorten_url_params.Header": "EXOTEL",
        "shorten_url_params.Tracking": "true",
        "custom_field": "order desk",
        "status_callback": "https://reports.example.com/sms",
    }
    assert load(SMALLEST + "[exotel]\nshorten_url = false").options == {"shorten_url": "false"}
    assert load(SMALLEST + "[exotel]").options == {}
    assert Campaign.from_json(campaign.to_json()) == campaign
    assert campaign.digest != load(SMALLEST + EXOTEL.replace("desk", "office")).digest


SKYCORE = '[skycore]\nclick_tracking = true\ncampaign_ref = "diwali2030"\n'


def test_the_skycore_table_becomes_options_of_the_call(load):
    campaign = load(SMALLEST + SKYCORE)
    assert campaign.options == {"click_tracking": "true", "campaign_ref": "diwali2030"}
    assert load(SMALLEST + "[skycore]\nclick_tracking = false").options == {"click_tracking": "false"}
    assert load(SMALLEST + "[skycore]").options == {}
    assert Campaign.from_json(campaign.to_json()) == campaign
    assert campaign.digest != load(SMALLEST + SKYCORE.replace("2030", "2031")).digest


def test_settings_with_fields_are_each_messages_and_those_without_the_calls(load):
    campaign = load(
        SMALLEST + 'from = "{header}"\nsms_type = "{kind}"\ndlt_template_id = "11{dlt}"\ndlt_entity_id = "1"'
    )
    assert {name: each.columns for name, each in campaign.message_options().items()} == {
        "from": ("header",),
        "sms_type": ("kind",),
        "dlt_template_id": ("dlt",),
    }
    assert (campaign.call_sender, campaign.options) == ("", {"dlt_entity_id": "1"})
    assert Campaign.from_json(campaign.to_json()) == campaign
    fixed = load(SMALLEST + 'from = "A{{B}}"\nsms_type = "transactional"\ndlt_template_id = "}}12"')
    assert fixed.message_options() == {}
    assert fixed.call_sender == "A{B}"
    assert fixed.options == {"sms_type": "transactional", "dlt_template_id": "}12"}
    assert (load(SMALLEST).call_sender, load(SMALLEST).options) == ("", {})


@pytest.mark.parametrize("recipients", ["-", "/data/a.csv"])
def test_standard_input_and_absolute_recipients_stay_as_they_are(load, recipients):
    assert load(f'{SMALLEST}recipients = "{recipients}"').recipients == recipients


def test_a_byte_order_mark_is_no_part_of_the_file(load):
    assert load(b"\xef\xbb\xbf" + SMALLEST.encode()).name == "offer"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('window = "10-21"', '"window" should be two times of day like "10:00-21:00"'),
        ('window = "10:00-10:00"', '"window" should open and close at two different times'),
        ('timezone = "Asia/Kolkatta"', '"timezone" should be a zone like "Asia/Kolkata"'),
        ('timezone = "../etc"', '"timezone" should be a zone like "Asia/Kolkata"'),
        ("start_at = 9999-12-31T23:00:00-05:00", '"start_at" is more than ten years ahead'),
        ("expires_at = 9999-12-31T23:00:00Z", '"expires_at" is more than ten years ahead'),
        ("start_at = 2026-11-22T10:00:00", '"start_at" should have an offset, like 2026-11-22T10:00:00+05:30'),
        (
            "start_at = 2026-11-22T10:00:00+05:30\nexpires_at = 2026-11-22T10:00:00+05:30",
            '"expires_at" should be later than "start_at"',
        ),
        ('priority = "urgent"', "\"priority\" should be 'high', 'normal' or 'low'"),
        ('accounts = ["main", "main"]', '"accounts" names main twice'),
        ('dlt_template = "Dear {#name#}"', '"dlt_template" has'),
        ("dlt_variable_length = 0", '"dlt_variable_length" should be greater than or equal to 1'),
    ],
)
def test_a_wish_that_can_not_be_kept_is_refused_by_its_key(complaint, line, sentence):
    text = SMALLEST.replace('accounts = ["main"]\n', "") + line if line.startswith("accounts") else SMALLEST + line
    assert complaint(text).startswith(sentence)


@pytest.mark.parametrize(
    ("lines", "hours"),
    [
        ("", "None"),
        ('window = "09:00-23:00"', "09:00-23:00 Asia/Kolkata"),
        ('window = "09:00-23:00"\ntimezone = "Asia/Dubai"', "09:00-23:00 Asia/Dubai"),
        ('sms_type = "promotional"', "10:00-21:00 Asia/Kolkata"),
        ('sms_type = "transactional_opt_in"', "10:00-21:00 Asia/Kolkata"),
        ('sms_type = "{kind}"', "10:00-21:00 Asia/Kolkata"),
        ('sms_type = "promotional"\nwindow = "11:00-12:00"', "11:00-12:00 Asia/Kolkata"),
        ('sms_type = "promotional"\ndefault_country = "AE"', "None"),
    ],
)
def test_a_campaign_sends_in_its_window_or_in_the_legal_hours(load, lines, hours):
    assert str(load(SMALLEST + lines).hours) == hours


CONTENT = 'name = "a"\naccounts = ["main"]\n[content]\ntype = "text"\n'


def test_a_content_object_stands_in_place_of_the_body(load):
    campaign = load(f'{CONTENT}text = {{ body = "Hi {{name}}", preview_url = false }}')
    assert campaign.content == {"type": "text", "text": {"body": "Hi {name}", "preview_url": False}}
    assert campaign.body is None
    wording = campaign.wording()
    assert wording.columns == ("name",)
    assert wording.bind(("name",))(['A"']) == '{"text":{"body":"Hi A\\"","preview_url":false},"type":"text"}'
    assert Campaign.from_json(campaign.to_json()).wording() == wording


def test_the_wording_of_a_body_is_its_template(load):
    assert load(SMALLEST).wording() == compile_template("Hi {name}")


def test_with_ascii_the_wording_replaces_look_alikes_and_the_json_says_so(load):
    campaign = load(SMALLEST + "ascii = true")
    assert campaign.wording() == AsciiTemplate(text=compile_template("Hi {name}"))
    assert Campaign.from_json(campaign.to_json()).wording() == campaign.wording()
    assert load(SMALLEST).in_ascii().to_json() == campaign.to_json()
    assert load(SMALLEST).in_ascii().digest != load(SMALLEST).digest


def test_a_content_object_has_no_look_alikes_to_replace(load, complaint):
    before_content = CONTENT.replace("[content]", "ascii = true\n[content]")
    assert complaint(before_content) == '"ascii" is of a body: a campaign with [content] has none'
    with pytest.raises(ConfigError, match=r"^campaign a: --ascii is of a body: a campaign with \[content\] has none$"):
        load(CONTENT).in_ascii()


def test_a_campaign_has_a_body_or_a_content_and_not_both(complaint):
    both = SMALLEST + '[content]\ntype = "text"'
    assert complaint(both) == '"body" and "content" are both given: a campaign has one of them'
    neither = 'name = "a"\naccounts = ["main"]'
    assert complaint(neither) == '"body" is missing, or a table [content] in its place'


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("at = 2026-11-22T10:00:00+05:30", "content.at should be text in quotes, true, false, a list or a table"),
        ("x.at = [1979-05-27]", "content.x.at[0] should be text in quotes, true, false, a list or a table"),
        ("text = { n = 7 }", "content.text.n should be text in quotes, true, false, a list or a table"),
        ('text.body = "Hi {name"', "content.text.body has a single '{' at character 4 (write '{{' for the brace)"),
        ('x = ["{}"]', "content.x[0] has a field without a column at character 1"),
    ],
)
def test_what_a_content_can_not_hold_is_told_with_its_place(complaint, line, sentence):
    assert complaint(CONTENT + line) == sentence


def test_a_content_that_is_no_table_is_told(complaint):
    assert complaint('name = "a"\naccounts = ["main"]\ncontent = "text"') == '"content" should be a table'


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('bdy = "x"', '"bdy" is not a key of a campaign; did you mean "body"?'),
        ('sender = "X"', '"sender" is not a key of a campaign'),
        ('qqqq = "X"', '"qqqq" is not a key of a campaign'),
        ('priority = "urgent"', "\"priority\" should be 'high', 'normal' or 'low'"),
        *(
            (f"{key} = {value}", f'"{key}" should be an instant, like 2026-11-22T10:00:00+05:30')
            for key in ("start_at", "expires_at")
            for value in ("20271122", "1.8e9", '"1800000000"', '"20271122"', "true", '"soon"', "10:00:00", "[]")
        ),
        ('start_at = "2027-11-22"', '"start_at" should have an offset, like 2026-11-22T10:00:00+05:30'),
        (
            'start_at = "2027-13-22T10:00:00Z"',
            '"start_at" should be a valid datetime or date, month value is outside expected range of 1-12',
        ),
        ('default_country = "in"', '"default_country" should be a country of ISO 3166 in two capitals, like "IN"'),
        ("dlt_entity_id = 11", '"dlt_entity_id" should be text in quotes'),
        ('to = ""', '"to" is empty'),
        ('ascii = "yes"', '"ascii" should be true or false'),
        ('from = ""', '"from" is empty'),
        ('from = "A{"', "\"from\" has a single '{' at character 2 (write '{{' for the brace)"),
        ('from = " "', '"from" is empty'),
        ('dlt_template_id = " "', '"dlt_template_id" is empty'),
        ('dlt_entity_id = " "', '"dlt_entity_id" is empty'),
        ('[exotel]\ncustom_field = " "', '"exotel.custom_field" is empty'),
        *(
            (line, f'"{key}" can hold no braces and so no {{column}}: it is one for the whole campaign')
            for line, key in (
                ('dlt_entity_id = "{e}"', "dlt_entity_id"),
                ('dlt_entity_id = "11{"', "dlt_entity_id"),
                ('dlt_entity_id = "11}}"', "dlt_entity_id"),
                ('[exotel]\ncustom_field = "{{a}}"', "exotel.custom_field"),
                ('[skycore]\ncampaign_ref = "a}"', "skycore.campaign_ref"),
            )
        ),
        ('dlt_template_id = "{}"', '"dlt_template_id" has a field without a column at character 1'),
        ('sms_type = "{kind"', "\"sms_type\" has a single '{' at character 1 (write '{{' for the brace)"),
        ('sms_type = "otp"', "\"sms_type\" should be 'transactional', 'transactional_opt_in' or 'promotional'"),
        ('exotel = "x"', '"exotel" should be a table'),
        ('[exotel]\nprio = "high"', '"exotel.prio" is not a key of [exotel]; did you mean "priority"?'),
        ('[exotel]\npriority = "low"', "\"exotel.priority\" should be 'normal' or 'high'"),
        ("[exotel]\nencoding_type = 1", "\"exotel.encoding_type\" should be 'plain' or 'unicode'"),
        ('[exotel]\nshorten_url = "yes"', '"exotel.shorten_url" should be true or false'),
        ('[exotel]\nshorten_url_params = "x"', '"exotel.shorten_url_params" should be a table'),
        ("[exotel.shorten_url_params]\nHeader = 1", '"exotel.shorten_url_params" should be text in quotes'),
        (
            '[exotel.shorten_url_params]\n"a]b" = "1"',
            '"exotel.shorten_url_params" has a name that is not 1 to 64 letters',
        ),
        ('[exotel.shorten_url_params]\nHeader = "E"', '"exotel" has shorten_url_params, which need shorten_url = true'),
        (
            '[exotel]\nstatus_callback = "reports.example.com"',
            '"exotel.status_callback" should be http:// or https:// and a host',
        ),
        ('[exotel]\ncustom_field = ""', '"exotel.custom_field" is empty'),
        (
            '[exotel]\ncustom_field = "{id}"',
            '"exotel.custom_field" can hold no braces and so no {column}: it is one for the whole campaign',
        ),
        ('skycore = "x"', '"skycore" should be a table'),
        ("[skycore]\ntracking = true", '"skycore.tracking" is not a key of [skycore]; did you mean "click_tracking"?'),
        ('[skycore]\nclick_tracking = "yes"', '"skycore.click_tracking" should be true or false'),
        ("[skycore]\ncampaign_ref = 1", '"skycore.campaign_ref" should be text in quotes'),
        ('[skycore]\ncampaign_ref = ""', '"skycore.campaign_ref" is empty'),
        (
            '[skycore]\ncampaign_ref = "{id}"',
            '"skycore.campaign_ref" can hold no braces and so no {column}: it is one for the whole campaign',
        ),
        (f"x = {'1' * 5_000}", "it has a number of too many digits"),
        (f"x = {'[' * 2_000}", "it is nested too deep"),
        ("x =", "not TOML: Invalid value (at line 4, the last)"),
        ("x = 1 1\ny = 2", "not TOML: Expected newline or end of document after a statement (at line 4, column 7)"),
    ],
)
def test_a_wrong_line_gives_one_sentence(complaint, line, sentence):
    assert complaint(SMALLEST + line) == sentence


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("name", '"Big Offer"', '"name" should have 1 to 60 of the characters a-z 0-9 - _ . and not begin with -'),
        ("name", f'"{"a" * 61}"', '"name" should have 1 to 60 of the characters a-z 0-9 - _ . and not begin with -'),
        ("name", '"-offer"', '"name" should have 1 to 60 of the characters a-z 0-9 - _ . and not begin with -'),
        ("accounts", "[]", '"accounts" is empty'),
        ("accounts", '"main"', '"accounts" should be a list'),
        (
            "accounts",
            '["Main!"]',
            '"accounts", item 1 should have 1 to 64 of the characters a-z 0-9 - _ . and not begin with -',
        ),
        ("body", '"Hi {"', "\"body\" has a single '{' at character 4 (write '{{' for the brace)"),
        ("body", '"Hi {}"', '"body" has a field without a column at character 4'),
        ("body", '"  "', '"body" is empty'),
        ("body", f'"{"a" * 2001}"', '"body" has 2,001 characters, at most 2,000 are sent at any gateway'),
    ],
)
def test_a_wrong_value_gives_one_sentence(complaint, key, value, sentence):
    lines = {"name": '"a"', "accounts": '["main"]', "body": '"x"'} | {key: value}
    assert complaint("\n".join(f"{name} = {text}" for name, text in lines.items())) == sentence


@pytest.mark.parametrize("key", ["name", "accounts"])
def test_a_missing_key_is_named(complaint, key):
    text = "".join(line for line in SMALLEST.splitlines(keepends=True) if not line.startswith(key))
    assert complaint(text) == f'"{key}" is missing'


def test_a_file_that_is_not_text_names_its_line(complaint):
    assert complaint(b'name = "a"\nbody = "\xff"\n') == ", line 2: not UTF-8"


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.toml: No such file or directory"):
        load_campaign(tmp_path / "none.toml")


@pytest.mark.parametrize(
    "text",
    ["2027-11-22T10:00:00+05:30", '"2027-11-22T10:00:00+05:30"', '"2027-11-22 04:30:00Z"', '"2027-11-22t04:30z"'],
)
def test_an_instant_is_a_date_of_the_file_or_text_in_iso_8601(load, text):
    campaign = load(SMALLEST + f"start_at = {text}")
    assert campaign.start_at == datetime(2027, 11, 22, 4, 30, tzinfo=UTC)
    assert Campaign.from_json(campaign.to_json()).start_at == campaign.start_at


def test_a_campaign_comes_back_from_its_json_and_the_json_is_canonical():
    campaign = Campaign(name="a", accounts=("main",), body="नमस्ते", sender="EX", recipients="-")
    again = Campaign.from_json(campaign.to_json())
    assert again == campaign
    assert again.to_json() == campaign.to_json()
    assert Campaign.from_json(campaign.to_json().encode()) == campaign
    assert '"from":"EX"' in campaign.to_json()


def test_the_digest_tells_campaigns_apart_but_not_by_where_the_rows_are():
    campaign = Campaign(name="a", accounts=("main",), body="x", recipients="a.csv")
    assert campaign.digest == Campaign(name="a", accounts=("main",), body="x").digest
    assert campaign.digest != Campaign(name="a", accounts=("main",), body="y", recipients="a.csv").digest
    assert campaign.digest != Campaign(name="a", accounts=("main",), body="x", sender="EX").digest


def test_in_python_the_sender_has_its_own_name_and_campaigns_do_not_change():
    campaign = Campaign(name="a", accounts=("main",), body="x", sender="EX")
    with pytest.raises(ValidationError):
        campaign.sender = "OTHER"


@pytest.mark.parametrize("text", ["a", "diwali-offer-x1", "a.b_c-9", "a" * 100])
def test_an_id_that_may_be(text):
    assert check_id(text) == text


@pytest.mark.parametrize("text", ["", "A", "a b", "a/b", "a\n", "é", "-x", "a" * 101])
def test_an_id_that_may_not_be(text):
    with pytest.raises(ConfigError, match="should have 1 to 100 of the characters"):
        check_id(text)
