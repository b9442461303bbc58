package io.weft.dataplane.jwt;

/** Keys that came with the policy. */
final class LocalKeySource implements KeySource {
    private final JsonWebKeys keys;

    LocalKeySource(JsonWebKeys keys) {
        this.keys = keys;
    }

    @Override
    public JsonWebKeys keys() {
        return keys;
    }

    @Override
    public boolean pending() {
        return false;
    }

    @Override
    public JwtStatus withoutKeys() {
        return JwtStatus.NO_VALID_KEYS;
    }
}
