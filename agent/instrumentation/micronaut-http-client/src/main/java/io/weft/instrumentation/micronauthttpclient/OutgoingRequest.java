package io.weft.instrumentation.micronauthttpclient;

import io.netty.buffer.ByteBufUtil;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.weft.dataplane.Exchange;
import io.weft.dataplane.RequestCopy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** One hop as the mesh sees it: with all that the library has added. */
final class OutgoingRequest extends Exchange {
    private final HttpRequest request;
    private final String authority;
    private final Hop hop;

    /** @param authority of the URL */
    OutgoingRequest(HttpRequest request, Hop hop, String authority) {
        this.request = request;
        this.hop = hop;
        this.authority = authority;
    }

    @Override
    protected void abort() {
        hop.abort();
    }

    @Override
    public String method() {
        return request.method().name();
    }

    @Override
    public String scheme() {
        return "http";
    }

    @Override
    public String authority() {
        String host = request.headers().get(HttpHeaderNames.HOST);
        return host == null ? authority : host;
    }

    @Override
    public String path() {
        String target = request.uri();
        return target.isEmpty() || target.charAt(0) == '?' ? "/" + target : target;
    }

    @Override
    public String header(String name) {
        return NettyHeaders.joined(request.headers(), name);
    }

    @Override
    public List<String> values(String name) {
        return request.headers().getAll(name);
    }

    @Override
    protected boolean hasEnvoyHeaders() {
        // To ask for their names makes a set.
        for (Map.Entry<String, String> header : request.headers()) {
            if (header.getKey().regionMatches(true, 0, "x-envoy-", 0, 8)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public long bodyLength() {
        if (request instanceof FullHttpRequest full) {
            return full.content().readableBytes();
        }
        String length = request.headers().get(HttpHeaderNames.CONTENT_LENGTH);
        try {
            return length == null ? -1 : Long.parseLong(length);
        } catch (NumberFormatException appsOwn) {
            return -1;
        }
    }

    @Override
    public Replay replay() {
        if (!(request instanceof FullHttpRequest full)) {
            return Replay.ONE_SHOT;
        }
        return full.content().isReadable() ? Replay.REPEATABLE : Replay.NO_BODY;
    }

    @Override
    protected RequestCopy copy(int maxBodyBytes) {
        if (!(request instanceof FullHttpRequest full) || full.content().readableBytes() > maxBodyBytes) {
            return null;
        }
        return new RequestCopy(new ArrayList<>(full.headers().entries()), ByteBufUtil.getBytes(full.content()));
    }
}
