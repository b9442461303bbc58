package io.weft.policy.parse;

/** Ends the parsing of one resource. Never leaves the package. */
final class Refusal extends RuntimeException {
    private final String path;

    Refusal(String path, String reason) {
        super(reason, null, false, false);
        this.path = path;
    }

    String path() {
        return path;
    }
}
