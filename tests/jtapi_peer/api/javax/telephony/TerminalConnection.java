// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony;

public interface TerminalConnection {
    int IDLE = 64;
    int RINGING = 65;
    int PASSIVE = 66;
    int ACTIVE = 67;
    int DROPPED = 68;
    int UNKNOWN = 69;

    int getState();

    Terminal getTerminal();

    Connection getConnection();

    void answer()
        throws PrivilegeViolationException, ResourceUnavailableException, MethodNotSupportedException,
            InvalidStateException;
}
