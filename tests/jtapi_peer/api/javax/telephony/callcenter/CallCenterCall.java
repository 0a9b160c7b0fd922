// Declared by us for the test peer, as far as it is used: not shipped.
package javax.telephony.callcenter;

import javax.telephony.Call;

public interface CallCenterCall extends Call {
}
