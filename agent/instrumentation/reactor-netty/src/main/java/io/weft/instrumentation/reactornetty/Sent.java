package io.weft.instrumentation.reactornetty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;

/**
 * What the library has sent, before the mesh's changes.
 *
 * @param headers nobody else changes them
 * @param body a share of its own, to be released; null: it comes in parts, which are gone once they are sent
 * @param inParts head and end by themselves
 */
record Sent(HttpHeaders headers, ByteBuf body, boolean inParts) {

    static Sent of(HttpRequest request) {
        return request instanceof FullHttpRequest full
                ? new Sent(full.headers(), full.content().retainedDuplicate(), false)
                : new Sent(request.headers().copy(), null, true);
    }

    /** As it turns out: the end came next. */
    Sent withoutBody() {
        return new Sent(headers, Unpooled.EMPTY_BUFFER, true);
    }

    void release() {
        if (body != null) {
            body.release();
        }
    }
}
