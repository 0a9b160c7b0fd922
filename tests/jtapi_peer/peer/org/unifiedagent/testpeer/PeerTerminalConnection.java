// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer;

import java.util.Map;
import javax.telephony.Connection;
import javax.telephony.Terminal;
import javax.telephony.TerminalConnection;
import javax.telephony.callcontrol.CallControlTerminalConnection;
import javax.telephony.media.MediaTerminalConnection;

/** A terminal's part in a call. */
public final class PeerTerminalConnection implements CallControlTerminalConnection, MediaTerminalConnection {
    private static final Map<Integer, Integer> CORE = Map.of(
        CallControlTerminalConnection.IDLE, TerminalConnection.IDLE,
        CallControlTerminalConnection.RINGING, TerminalConnection.RINGING,
        TALKING, ACTIVE,
        HELD, ACTIVE,
        CallControlTerminalConnection.DROPPED, TerminalConnection.DROPPED,
        CallControlTerminalConnection.UNKNOWN, TerminalConnection.UNKNOWN);

    final PeerConnection connection;
    volatile int control = CallControlTerminalConnection.IDLE;

    PeerTerminalConnection(PeerConnection connection) {
        this.connection = connection;
    }

    static int coreOf(int control) {
        return CORE.get(control);
    }

    private void ask(String request) {
        connection.station.provider.ask(request);
    }

    @Override
    public int getState() {
        return coreOf(control);
    }

    @Override
    public int getCallControlState() {
        return control;
    }

    @Override
    public Terminal getTerminal() {
        return connection.station.terminal;
    }

    @Override
    public Connection getConnection() {
        return connection;
    }

    @Override
    public void answer() {
        ask(Requests.answer(connection.part()));
    }

    @Override
    public void hold() {
        ask(Requests.hold(connection.part()));
    }

    @Override
    public void unhold() {
        ask(Requests.retrieve(connection.part()));
    }

    @Override
    public void generateDtmf(String digits) {
        ask(Requests.tones(connection.part(), digits));
    }

    @Override
    public String toString() {
        return "terminal's " + connection;
    }
}
