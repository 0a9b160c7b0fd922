// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony.callcontrol;

import javax.telephony.Address;
import javax.telephony.Call;
import javax.telephony.Connection;
import javax.telephony.InvalidArgumentException;
import javax.telephony.InvalidPartyException;
import javax.telephony.InvalidStateException;
import javax.telephony.MethodNotSupportedException;
import javax.telephony.PrivilegeViolationException;
import javax.telephony.ResourceUnavailableException;
import javax.telephony.Terminal;
import javax.telephony.TerminalConnection;

public interface CallControlCall extends Call {
    Address getCallingAddress();

    Terminal getCallingTerminal();

    Address getCalledAddress();

    Address getLastRedirectedAddress();

    void drop()
        throws InvalidStateException, MethodNotSupportedException, PrivilegeViolationException,
            ResourceUnavailableException;

    Connection addParty(String digits)
        throws InvalidStateException, InvalidPartyException, MethodNotSupportedException,
            PrivilegeViolationException, ResourceUnavailableException;

    Connection[] consult(TerminalConnection terminalConnection, String digits)
        throws InvalidStateException, InvalidArgumentException, MethodNotSupportedException,
            ResourceUnavailableException, PrivilegeViolationException, InvalidPartyException;

    void setConferenceController(TerminalConnection controller)
        throws InvalidArgumentException, InvalidStateException, MethodNotSupportedException,
            ResourceUnavailableException;

    TerminalConnection getConferenceController();

    void conference(Call other)
        throws InvalidStateException, InvalidArgumentException, MethodNotSupportedException,
            PrivilegeViolationException, ResourceUnavailableException;

    void setTransferController(TerminalConnection controller)
        throws InvalidArgumentException, InvalidStateException, MethodNotSupportedException,
            ResourceUnavailableException;

    TerminalConnection getTransferController();

    void transfer(Call other)
        throws InvalidStateException, InvalidArgumentException, InvalidPartyException, MethodNotSupportedException,
            PrivilegeViolationException, ResourceUnavailableException;

    Connection transfer(String digits)
        throws InvalidArgumentException, InvalidStateException, InvalidPartyException, MethodNotSupportedException,
            PrivilegeViolationException, ResourceUnavailableException;
}
