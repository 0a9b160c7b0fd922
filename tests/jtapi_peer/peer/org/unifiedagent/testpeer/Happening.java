// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer;

import javax.telephony.Address;
import javax.telephony.Connection;
import javax.telephony.TerminalConnection;

/** What an event tells, whatever kind it is of. Meaningless parts are null. */
final class Happening {
    final int id;
    int cause = Causes.NORMAL;
    int controlCause = Causes.NORMAL;
    int meta = Causes.META_UNKNOWN;
    PeerProvider provider;
    Address address;
    PeerTerminal terminal;
    PeerCall call;
    Connection connection;
    TerminalConnection leg;
    Object ended;
    AgentRecord agent;
    Object privateData;
    int waiting;
    Address calling;
    Address called;
    Address lastRedirected;

    Happening(int id) {
        this.id = id;
    }

    /** What happens to a call, with what the call tells now. */
    Happening(int id, PeerCall call) {
        this.id = id;
        this.call = call;
        calling = call.getCallingAddress();
        called = call.getCalledAddress();
        lastRedirected = call.getLastRedirectedAddress();
    }
}
