// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer;

import javax.telephony.InvalidArgumentException;
import javax.telephony.InvalidPartyException;
import javax.telephony.InvalidStateException;
import javax.telephony.MethodNotSupportedException;
import javax.telephony.PlatformException;
import javax.telephony.PrivilegeViolationException;
import javax.telephony.ProviderUnavailableException;
import javax.telephony.ResourceUnavailableException;

/** Makes the objects of a family; this one those of plain {@code javax.telephony}. */
public class Maker {
    private static final String[] FAMILIES = {"vendor", "standard", "none"};
    private static final String[] MAKERS = {
        "org.unifiedagent.testpeer.vendor.VendorMaker", "org.unifiedagent.testpeer.callcenter.CallCenterMaker"
    };

    /** The maker of the richest family that the class path has, or of the one that the provider string asks for. */
    static Maker of(Parameters parameters) {
        String family = parameters.text("x-family", FAMILIES[0]);
        for (int at = 0; at < MAKERS.length; at++) {
            if (at == 0 && !family.equals(FAMILIES[0]) || family.equals(FAMILIES[2])) {
                continue;
            }
            try {
                return (Maker) Class.forName(MAKERS[at]).getDeclaredConstructor().newInstance();
            } catch (ReflectiveOperationException | LinkageError error) {
                // The class path has not this family.
            }
        }
        return new Maker();
    }

    public PeerProvider provider(Parameters parameters) {
        return new PeerProvider(parameters, this);
    }

    public PeerAddress address(Station station) {
        return new PeerAddress(station);
    }

    /** The address of a queue, which may tell more. */
    public PeerAddress queue(Station station) {
        return address(station);
    }

    public PeerTerminal terminal(Station station) {
        return new PeerTerminal(station);
    }

    public PeerCall call(PeerProvider provider) {
        return new PeerCall(provider);
    }

    /** What stands for an agent; null where agents cannot be told of. */
    public Object agent(AgentRecord agent) {
        return null;
    }

    /** What call events implement besides: asked of the call. */
    public Class<?>[] callInformation() {
        return new Class<?>[0];
    }

    /** What agent events implement besides. */
    public Class<?>[] agentInformation() {
        return new Class<?>[0];
    }

    /** What an agent event carries for a reason code. */
    public Object privateReason(int reason) {
        return null;
    }

    /** What a private event of the provider carries for this state of TSAPI; null for no event. */
    public Object privateState(int tsapiState) {
        return null;
    }

    /** Throw the exception for an error. Never returns. */
    final RuntimeException raise(Kind kind, int type, int number, String words) {
        return Errors.<RuntimeException>raise(exception(kind, type, number, words));
    }

    /** What the client library says of its own troubles. */
    final Throwable trouble(String words) {
        return exception(Kind.PLATFORM, Errors.INTERNAL, 0, words);
    }

    /** The exception for an error; the numbers are TSAPI's. */
    public Throwable exception(Kind kind, int type, int number, String words) {
        return switch (kind) {
            case INVALID_STATE -> new InvalidStateException(null, 0, 0, words);
            case INVALID_ARGUMENT -> new InvalidArgumentException(words);
            case INVALID_PARTY -> new InvalidPartyException(InvalidPartyException.UNKNOWN_PARTY, words);
            case PRIVILEGE -> new PrivilegeViolationException(PrivilegeViolationException.UNKNOWN_VIOLATION, words);
            case RESOURCE -> new ResourceUnavailableException(ResourceUnavailableException.UNKNOWN, words);
            case PLATFORM -> new PlatformException(words);
            case PROVIDER -> new ProviderUnavailableException(ProviderUnavailableException.CAUSE_UNKNOWN, words);
            case NOT_SUPPORTED -> new MethodNotSupportedException(words);
        };
    }
}
