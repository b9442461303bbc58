package io.weft.instrumentation.reactornetty;

import io.netty.buffer.ByteBufUtil;
import io.netty.handler.codec.http.HttpHeaders;
import io.weft.dataplane.Exchange;
import io.weft.dataplane.RequestCopy;
import io.weft.instrumentation.EarlyHeaders;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import reactor.netty.http.client.HttpClient;

/**
 * One hop as the mesh sees it. Until the app's callback has sent the request, for which it needs a connection, its headers are those of
 * the client's configuration and what a library above knows; from then on, they are what was sent.
 */
final class OutgoingRequest extends Exchange {
    private final String method;
    private final String authority;
    private final String path;
    private final HttpHeaders configured;
    private final EarlyHeaders early;
    private final boolean bodiless;

    /** Written before the exchange is asked for the first time. */
    private Hop hop;

    /** Null: nothing was sent. */
    private Sent sent;

    /**
     * @param handler the library's own for the request
     * @param address that it would connect to
     * @param early what a library above knows
     */
    OutgoingRequest(Internals internals, Object handler, InetSocketAddress address, EarlyHeaders early) throws Throwable {
        configured = internals.defaultHeaders(handler);
        this.early = early;
        method = internals.method(handler).name();
        path = internals.pathAndQuery(internals.target(handler));
        bodiless = internals.callback(handler) == null;
        List<String> host = values("host");
        authority = host.isEmpty() ? internals.hostHeader(address) : host.get(0);
    }

    void drivenBy(Hop hop) {
        this.hop = hop;
    }

    void sends(Sent sent) {
        this.sent = sent;
    }

    @Override
    protected void abort() {
        hop.abort();
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
        List<String> values = values(name);
        return switch (values.size()) {
            case 0 -> null;
            case 1 -> values.get(0);
            default -> String.join(",", values);
        };
    }

    @Override
    public List<String> values(String name) {
        if (sent != null) {
            return sent.headers().getAll(name);
        }
        List<String> values = early.values(name);
        if (values.isEmpty()) {
            values = configured.getAll(name);
        }
        if (!values.isEmpty()) {
            return values;
        }
        return switch (name) {
            case "user-agent" -> List.of(HttpClient.USER_AGENT);
            case "accept" -> List.of("*/*");
            default -> List.of();
        };
    }

    @Override
    protected boolean hasEnvoyHeaders() {
        if (early != HeadersFromAbove.NONE) {
            return true;
        }
        for (String name : configured.names()) {
            if (name.regionMatches(true, 0, "x-envoy-", 0, 8)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public long bodyLength() {
        if (sent != null && sent.body() != null) {
            return sent.body().readableBytes();
        }
        if (bodiless) {
            return 0;
        }
        String length = header("content-length");
        try {
            return length == null ? -1 : Long.parseLong(length);
        } catch (NumberFormatException appsOwn) {
            return -1;
        }
    }

    /** Before it was sent nobody can tell what the app's callback will send. */
    @Override
    protected boolean isComplete() {
        return sent != null && sent.body() != null;
    }

    @Override
    public Replay replay() {
        if (!isComplete()) {
            return bodiless ? Replay.NO_BODY : Replay.ONE_SHOT;
        }
        return sent.body().isReadable() ? Replay.REPEATABLE : Replay.NO_BODY;
    }

    @Override
    protected RequestCopy copy(int maxBodyBytes) {
        if (!isComplete() || sent.body().readableBytes() > maxBodyBytes) {
            return null;
        }
        List<Map.Entry<String, String>> headers = new ArrayList<>(sent.headers().entries());
        return new RequestCopy(headers, ByteBufUtil.getBytes(sent.body()));
    }
}
