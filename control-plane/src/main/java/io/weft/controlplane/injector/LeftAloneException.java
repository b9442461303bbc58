package io.weft.controlplane.injector;

/** A pod stays as it is. The message is for whoever creates it: why, and what to do. */
final class LeftAloneException extends Exception {

    LeftAloneException(String message) {
        super(message);
    }
}
