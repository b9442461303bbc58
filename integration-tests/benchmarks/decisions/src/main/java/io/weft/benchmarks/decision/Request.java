package io.weft.benchmarks.decision;

import io.weft.dataplane.Exchange;

/** A request as an adapter shows it to the data plane: plain GET with one header, which says whose it is. */
final class Request extends Exchange {
    static final String USER = "x-user";

    private final String authority;
    private final String user;

    Request(String authority, String user) {
        this.authority = authority;
        this.user = user;
    }

    @Override
    public String method() {
        return "GET";
    }

    @Override
    public String scheme() {
        return "http";
    }

    @Override
    public String authority() {
        return authority;
    }

    @Override
    public String path() {
        return "/orders/42?page=1";
    }

    @Override
    public String header(String name) {
        return name.equals(USER) ? user : null;
    }

    @Override
    protected boolean hasEnvoyHeaders() {
        return false;
    }

    @Override
    public Replay replay() {
        return Replay.NO_BODY;
    }
}
