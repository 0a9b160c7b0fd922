// Declared by us for the test peer, as far as it is used: not shipped.
package com.avaya.jtapi.tsapi;

import javax.telephony.Connection;

public interface LucentV5Call extends ITsapiCall, LucentCallEx2, LucentV5CallInfo {
    Connection addParty(String digits, boolean active)
        throws TsapiInvalidStateException,
            TsapiInvalidPartyException,
            TsapiMethodNotSupportedException,
            TsapiPrivilegeViolationException,
            TsapiResourceUnavailableException;
}
