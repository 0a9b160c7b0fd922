// Declared by us for the test peer, as far as it is used: not shipped.
package com.avaya.jtapi.tsapi;

public interface LucentCallEx extends LucentCall {
}
