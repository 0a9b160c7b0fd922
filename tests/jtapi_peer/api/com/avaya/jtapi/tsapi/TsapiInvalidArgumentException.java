// Declared by us for the test peer, as far as it is used: not shipped.
package com.avaya.jtapi.tsapi;

import javax.telephony.InvalidArgumentException;

public class TsapiInvalidArgumentException extends InvalidArgumentException implements ITsapiException {
    private static final long serialVersionUID = 1L;

    private final int errorType;
    private final int errorCode;

    public TsapiInvalidArgumentException(int errorType, int errorCode, String words) {
        super(words);
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
