"""A process that speaks JTAPI's messages without any Java: started by test_jtapi_worker with what it is to do."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time

from unified_agent.domain.facts import RequestDone
from unified_agent.errors import RemoteProtocolError
from unified_agent.links.telephony.jtapi import messages
from unified_agent.links.telephony.jtapi.java_options import read_arguments
from unified_agent.wire.jtapi.framing import FramedStream


def main(how: str, arguments: list[str]) -> None:
    line = read_arguments(arguments)
    if how == "fails":
        sys.exit("there is no Java here; passwd=secret")
    if how == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    assert line.descriptor is not None
    with socket.socket(fileno=line.descriptor) as server:
        serve(how, server)


def serve(how: str, server: socket.socket) -> None:
    stream = FramedStream()

    def say(*said: messages.FromProcess) -> None:
        for each in said:
            stream.send(messages.write(each))
        server.sendall(stream.data_to_send())

    if how == "deaf":  # it neither reads nor lets itself be told to end
        say(messages.Opened(java="", agents="none"))
        time.sleep(600)
    while data := server.recv(65_536):
        stream.receive_data(data, 0.0)
        while (content := stream.next_event()) is not None:
            match messages.read_from_server(content):
                case messages.Open(password=password):
                    print(f"opening with {password.value}", flush=True)
                    if how == "garbage":
                        server.sendall(b"\xff\xff\xff\xff")
                    say(messages.Opened(java=str(os.getpid()), agents="none"), messages.Up(generation=1))
                case messages.Ask() as ask:
                    say(messages.told_of(1, RequestDone(session=ask.session, request=ask.request)))
                case messages.Ping(number=number):
                    say(messages.Pong(number=number))
                case messages.Close() if how != "stubborn":
                    return
                case messages.Close():
                    time.sleep(600)
                case other:
                    raise RemoteProtocolError(f"{other} is not for this play")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
