// Declared by us for the test peer, as far as it is used: not shipped.
package com.avaya.jtapi.tsapi;

public interface LucentV7Call extends LucentV5Call, LucentV7CallInfo {
}
