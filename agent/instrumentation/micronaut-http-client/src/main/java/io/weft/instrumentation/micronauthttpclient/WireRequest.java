package io.weft.instrumentation.micronauthttpclient;

import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.weft.dataplane.RequestChanges;

/** What the mesh changes on the wire, where the app sees nothing of it any more. */
final class WireRequest {
    private WireRequest() {}

    static HttpRequest of(HttpRequest request, RequestChanges changes) {
        if (changes.equals(RequestChanges.NONE)) {
            return request;
        }
        HttpHeaders headers = request.headers().copy();
        NettyHeaders edits = new NettyHeaders(headers);
        edits.change(changes);
        if (changes.authority() != null) {
            edits.set(HttpHeaderNames.HOST.toString(), changes.authority());
        }
        String target = changes.path() == null ? request.uri() : changes.path();
        return request instanceof FullHttpRequest full
                ? new DefaultFullHttpRequest(request.protocolVersion(), request.method(), target, full.content(), headers, full.trailingHeaders())
                : new DefaultHttpRequest(request.protocolVersion(), request.method(), target, headers);
    }
}
