package io.weft.dataplane;

import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.Map;

/** A request that comes in, as a test writes it down. */
public class Incoming extends InboundExchange {
    private Connection connection = new Connection(
            new InetSocketAddress("127.0.0.1", 8080), new InetSocketAddress("127.0.0.1", 40000), "", null);
    private final String method;
    private final String path;
    private final Map<String, String> headers = new HashMap<>();

    public Incoming(String method, String path) {
        this.method = method;
        this.path = path;
    }

    public static Incoming get(String path) {
        return new Incoming("GET", path);
    }

    public Incoming over(Connection connection) {
        this.connection = connection;
        return this;
    }

    public Incoming with(String header, String value) {
        headers.put(header, value);
        return this;
    }

    @Override
    public Connection connection() {
        return connection;
    }

    @Override
    public String method() {
        return method;
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
        return path;
    }

    @Override
    protected long headerBytes() {
        long bytes = path.length();
        for (Map.Entry<String, String> header : headers.entrySet()) {
            bytes += header.getKey().length() + header.getValue().length();
        }
        return bytes;
    }

    @Override
    public String header(String name) {
        return headers.get(name);
    }
}
