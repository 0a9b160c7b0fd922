from unified_agent.domain.ids import Secret


def test_a_secret_hides_itself_wherever_it_is_printed():
    secret = Secret("1234")
    assert "1234" not in f"{secret!r} {secret} {[secret]}"
    assert secret.value == "1234"
    assert secret == Secret("1234")
