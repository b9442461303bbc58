package io.weft.benchmarks.decision;

import io.weft.dataplane.Exchange;

/** A request as an adapter shows it to the data plane: plain GET without headers. */
final class Request extends Exchange {
    private final String authority;

    Request(String authority) {
        this.authority = authority;
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
        return null;
    }

    @Override
    public Replay replay() {
        return Replay.NO_BODY;
    }
}
