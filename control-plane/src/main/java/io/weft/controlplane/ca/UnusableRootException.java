package io.weft.controlplane.ca;

/** A root cannot sign now: nobody would believe what it signs. */
public final class UnusableRootException extends Exception {
    private static final long serialVersionUID = 1;

    UnusableRootException(String message) {
        super(message);
    }
}
