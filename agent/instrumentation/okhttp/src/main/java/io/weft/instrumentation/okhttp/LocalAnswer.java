package io.weft.instrumentation.okhttp;

import io.weft.dataplane.LocalReply;
import java.util.Map;
import okhttp3.Headers;
import okhttp3.MediaType;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.ResponseBody;
import okio.Buffer;
import okio.BufferedSource;

/** A response that the mesh gives by itself. */
final class LocalAnswer extends ResponseBody {
    private final MediaType type;
    private final Buffer content;
    private final long length;

    private LocalAnswer(MediaType type, byte[] body) {
        this.type = type;
        this.content = new Buffer().write(body);
        this.length = body.length;
    }

    static Response of(LocalReply reply, Request request) {
        Headers.Builder headers = new Headers.Builder();
        for (Map.Entry<String, String> header : reply.headers()) {
            headers.addUnsafeNonAscii(header.getKey(), header.getValue());
        }
        boolean empty = reply.status() == 204 || reply.status() == 304;
        if (!empty && reply.header("content-length") == null) {
            headers.addUnsafeNonAscii("content-length", Integer.toString(reply.body().length));
        }
        String type = reply.header("content-type");
        byte[] body = empty || request.method().equals("HEAD") ? new byte[0] : reply.body();
        long now = System.currentTimeMillis();
        return new Response.Builder()
                .request(request)
                .protocol(Protocol.HTTP_1_1)
                .code(reply.status())
                .message(reply.reason())
                .headers(headers.build())
                .body(new LocalAnswer(type == null ? null : MediaType.parse(type), body))
                .sentRequestAtMillis(now)
                .receivedResponseAtMillis(now)
                .build();
    }

    @Override
    public MediaType contentType() {
        return type;
    }

    @Override
    public long contentLength() {
        return length;
    }

    @Override
    public BufferedSource source() {
        return content;
    }
}
