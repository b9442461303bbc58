package io.weft.controlplane.token;

/** A token proves nothing; the message is for its bearer. */
public final class InvalidTokenException extends Exception {
    private static final long serialVersionUID = 1;

    InvalidTokenException(String message) {
        super(message);
    }
}
