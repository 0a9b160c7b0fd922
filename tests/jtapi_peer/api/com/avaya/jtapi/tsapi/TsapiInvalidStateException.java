// Declared by us for the test peer, as far as it is used: not shipped.
package com.avaya.jtapi.tsapi;

import javax.telephony.InvalidStateException;

public class TsapiInvalidStateException extends InvalidStateException implements ITsapiException {
    private static final long serialVersionUID = 1L;

    private final int errorType;
    private final int errorCode;

    public TsapiInvalidStateException(int errorType, int errorCode, Object object, int type, int state, String words) {
        super(object, type, state, words);
        this.errorType = errorType;
        this.errorCode = errorCode;
    }

    @Override
    public int getErrorType() {
        return errorType;
    }

    @Override
    public int getErrorCode() {
        return errorCode;
    }
}
