// Declared by us for the test peer, as far as it is used: not shipped.
package com.avaya.jtapi.tsapi;

public interface ITsapiException {
    int NORMAL = 0;
    int ACS = 1;
    int CSTA = 2;
    int JTAPI = 3;
    int INTERNAL = 4;

    int getErrorType();

    int getErrorCode();
}
