// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer.vendor;

import com.avaya.jtapi.tsapi.ITsapiProviderTsapiInServiceEvent;
import com.avaya.jtapi.tsapi.ITsapiProviderTsapiInitializingEvent;
import com.avaya.jtapi.tsapi.ITsapiProviderTsapiOutOfServiceEvent;
import com.avaya.jtapi.tsapi.ITsapiProviderTsapiShutdownEvent;

/** What private events of a provider carry. */
final class PrivateStates {
    private PrivateStates() {
    }

    public static final class OutOfService implements ITsapiProviderTsapiOutOfServiceEvent {
    }

    public static final class Initializing implements ITsapiProviderTsapiInitializingEvent {
    }

    public static final class InService implements ITsapiProviderTsapiInServiceEvent {
    }

    public static final class Shutdown implements ITsapiProviderTsapiShutdownEvent {
    }
}
