package io.weft.dataplane;

/** A server of the app must not serve: policy demands of its port what cannot be done there. The message is for people. */
public final class UnsecurableException extends Exception {
    private static final long serialVersionUID = 1;

    UnsecurableException(String message) {
        super(message);
    }
}
