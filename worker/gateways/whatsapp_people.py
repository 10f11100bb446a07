"""The contacts of a WhatsApp content object: people to add to the address book. Sources: see `whatsapp_parts`."""

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from worker.gateways.whatsapp_parts import COUNTRY, DAY, Part, Text, wrong

_Day = Annotated[str, StringConstraints(pattern=DAY)]
_Country = Annotated[str, StringConstraints(pattern=COUNTRY)]


class PersonName(Part):
    """Ref: Name Object; checked by `_complete`."""

    formatted_name: Text
    first_name: str | None = None
    last_name: str | None = None
    middle_name: str | None = None
    suffix: str | None = None
    prefix: str | None = None


def _complete(name: PersonName) -> PersonName:
    """Ref: "At least one of the optional parameters needs to be included along with the formatted_name"."""
    if not any((name.first_name, name.last_name, name.middle_name, name.suffix, name.prefix)):
        raise wrong("needs one of first_name, last_name, middle_name, suffix and prefix beside formatted_name")
    return name


class Address(Part):
    """Ref: Address Object."""

    city: str | None = None
    country: str | None = None
    country_code: _Country | None = None
    state: str | None = None
    street: str | None = None
    type: str | None = None
    zip: str | None = None


class Email(Part):
    """Ref: Email Object."""

    email: str | None = None
    type: str | None = None


class Organisation(Part):
    """Ref: Org Object."""

    company: str | None = None
    department: str | None = None
    title: str | None = None


class Phone(Part):
    """Ref: Phone Object."""

    phone: str | None = None
    type: str | None = None
    wa_id: str | None = None


class Page(Part):
    """Ref: URL Object, whose table has `URL` for what is a list of `urls`; WhatsApp's own name is `url`."""

    url: str | None = None
    type: str | None = None


class Contact(Part):
    """Ref: Contact Object."""

    name: Annotated[PersonName, AfterValidator(_complete)]
    addresses: list[Address] | None = None
    birthday: _Day | None = None
    emails: list[Email] | None = None
    org: Organisation | None = None
    phones: list[Phone] | None = None
    urls: list[Page] | None = None
