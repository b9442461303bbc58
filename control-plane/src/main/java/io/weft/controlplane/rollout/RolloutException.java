package io.weft.controlplane.rollout;

/** A policy cannot be changed as wished; the message says why and what to do. */
public final class RolloutException extends Exception {
    private static final long serialVersionUID = 1;

    public RolloutException(String message) {
        super(message);
    }
}
