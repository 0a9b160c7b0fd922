// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony.media;

import javax.telephony.InvalidStateException;
import javax.telephony.MethodNotSupportedException;
import javax.telephony.ResourceUnavailableException;
import javax.telephony.TerminalConnection;

public interface MediaTerminalConnection extends TerminalConnection {
    void generateDtmf(String digits)
        throws MethodNotSupportedException, ResourceUnavailableException, InvalidStateException;
}
