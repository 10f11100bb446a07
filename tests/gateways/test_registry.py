"""Which adapter serves which account."""

import pytest

from config.accounts import load_accounts
from worker.gateways import registry

TABLES = {
    "exotel-sms": 'sid = "acme1"\napi_key = "k"\napi_token = "t"',
    "exotel-whatsapp": 'sid = "acme1"\napi_key = "k"\napi_token = "t"',
    "xtend-sms": 'username = "acme1"\npassword = "p"\ndlt_header_id = "1105000000000000001"',
    "xtend-whatsapp": 'phone_number_id = "100000000000001"\napi_key = "k"',
    "skycore-sms": 'base_url = "https://sms.example.com/api"\napi_key = "k"',
}


def account_of(tmp_path, gateway):
    path = tmp_path / "accounts.toml"
    path.write_text(f'[accounts.main]\ngateway = "{gateway}"\n{TABLES[gateway]}', encoding="utf-8")
    return load_accounts(path)["main"]


@pytest.mark.parametrize("gateway", TABLES)
def test_an_account_is_served_by_its_gateways_adapter(tmp_path, gateway):
    account = account_of(tmp_path, gateway)
    built = registry.build(account, account.credentials({}))
    assert built.name == gateway
    assert built.batch_limit == registry.batch_limit(gateway)
    assert account.host_url.startswith(built.origin)
