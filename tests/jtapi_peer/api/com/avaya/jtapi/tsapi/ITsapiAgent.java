// Declared by us for the test peer, as far as it is used: not shipped.
package com.avaya.jtapi.tsapi;

import javax.telephony.callcenter.Agent;

public interface ITsapiAgent extends Agent {
}
