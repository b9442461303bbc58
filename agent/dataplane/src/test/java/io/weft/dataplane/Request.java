package io.weft.dataplane;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A request as a test writes it down. */
public class Request extends Exchange {
    private final String method;
    private final String authority;
    private final String path;
    private final Map<String, List<String>> headers = new HashMap<>();
    private Replay replay = Replay.NO_BODY;
    private byte[] body = {};
    private Connection connection = Peers.plaintext();
    private boolean envoyHeaders;

    public Request(String method, String authority, String path) {
        this.method = method;
        this.authority = authority;
        this.path = path;
    }

    public static Request get(String authority, String path) {
        return new Request("GET", authority, path);
    }

    /** @param values several: the header occurs several times */
    public Request with(String header, String... values) {
        envoyHeaders |= header.startsWith("x-envoy-");
        headers.put(header, List.of(values));
        return this;
    }

    public Request with(Replay body) {
        replay = body;
        return this;
    }

    /** One that is in memory. */
    public Request body(String text) {
        replay = Replay.REPEATABLE;
        body = text.getBytes(StandardCharsets.UTF_8);
        return this;
    }

    public Request over(Connection connection) {
        this.connection = connection;
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
        return authority;
    }

    @Override
    public String path() {
        return path;
    }

    @Override
    public String header(String name) {
        List<String> values = headers.get(name);
        if (values == null) {
            return null;
        }
        return values.size() == 1 ? values.get(0) : String.join(",", values);
    }

    @Override
    public List<String> values(String name) {
        return headers.getOrDefault(name, List.of());
    }

    @Override
    protected boolean hasEnvoyHeaders() {
        return envoyHeaders;
    }

    @Override
    protected RequestCopy copy(int maxBodyBytes) {
        if (replay == Replay.ONE_SHOT || body.length > maxBodyBytes) {
            return null;
        }
        List<Map.Entry<String, String>> copied = new ArrayList<>();
        headers.forEach((name, values) -> values.forEach(value -> copied.add(Map.entry(name, value))));
        return new RequestCopy(copied, body);
    }

    @Override
    public long bodyLength() {
        return replay == Replay.ONE_SHOT ? -1 : body.length;
    }

    @Override
    public Replay replay() {
        return replay;
    }
}
