// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer;

/** Which exception of JTAPI an error becomes. */
public enum Kind {
    INVALID_STATE,
    INVALID_ARGUMENT,
    INVALID_PARTY,
    PRIVILEGE,
    RESOURCE,
    PLATFORM,
    PROVIDER,
    NOT_SUPPORTED
}
