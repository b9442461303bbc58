package io.weft.controlplane.injector;

/** What came is no admission review that can be answered. The message says why, and quotes nothing of it that may be secret. */
final class InvalidReviewException extends Exception {

    InvalidReviewException(String message) {
        super(message);
    }
}
