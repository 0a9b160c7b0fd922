// Declared by us for the test peer, as far as it is used: not shipped.
package com.avaya.jtapi.tsapi;

import javax.telephony.Address;
import javax.telephony.callcontrol.CallControlAddress;

public interface ITsapiAddress extends Address, CallControlAddress {
}
