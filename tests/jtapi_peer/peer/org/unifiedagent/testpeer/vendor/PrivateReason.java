// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer.vendor;

/** What an agent event carries where it tells a reason code. That it does is known, its member's name is assumed. */
public final class PrivateReason {
    private final int reason;

    public PrivateReason(int reason) {
        this.reason = reason;
    }

    public int getReasonCode() {
        return reason;
    }
}
