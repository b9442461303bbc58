package io.weft.benchmarks.decision;

import io.weft.dataplane.Connection;
import io.weft.dataplane.InboundExchange;

/** A request as a server's adapter shows it to the data plane: plain GET, over a connection of the mesh. */
final class InboundRequest extends InboundExchange {
    private final Connection connection;

    InboundRequest(Connection connection) {
        this.connection = connection;
    }

    @Override
    protected long headerBytes() {
        return 0;
    }

    @Override
    public Connection connection() {
        return connection;
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
        return "orders";
    }

    @Override
    public String path() {
        return "/orders/42?page=1";
    }

    @Override
    public String header(String name) {
        return null;
    }
}
