"""Who logs in."""

from unified_agent.client.login import DiallerLogin, Login


def test_passwords_are_not_shown():
    dialler = DiallerLogin(name="agent0001", password="hidden", headset="301")
    login = Login(agent="5001", station="2001", password="hidden", dialler=dialler)
    assert "5001" in repr(login)
    assert "hidden" not in repr(login)
