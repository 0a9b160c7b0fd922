// Declared by us for the test peer, as far as it is used: not shipped.
package com.avaya.jtapi.tsapi;

import javax.telephony.ResourceUnavailableException;

public class TsapiResourceUnavailableException extends ResourceUnavailableException implements ITsapiException {
    private static final long serialVersionUID = 1L;

    private final int errorType;
    private final int errorCode;

    public TsapiResourceUnavailableException(int errorType, int errorCode, int type, String words) {
        super(type, words);
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
