// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony;

public interface Call {
    int IDLE = 32;
    int ACTIVE = 33;
    int INVALID = 34;

    Provider getProvider();

    int getState();

    Connection[] getConnections();

    Connection[] connect(Terminal terminal, Address address, String digits)
        throws ResourceUnavailableException, PrivilegeViolationException, InvalidPartyException,
            InvalidArgumentException, InvalidStateException, MethodNotSupportedException;
}
