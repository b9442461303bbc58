package io.weft.instrumentation.tomcat;

import io.weft.dataplane.LocalReply;
import io.weft.dataplane.ResponseHeaders;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import org.apache.coyote.ActionCode;
import org.apache.coyote.Response;

/** One of coyote's responses before its head is written: content type and length are not among its headers yet. */
final class OutgoingResponse extends CoyoteHeaders implements ResponseHeaders {
    private final Response response;

    OutgoingResponse(Response response) {
        super(response.getMimeHeaders());
        this.response = response;
    }

    @Override
    public String header(String name) {
        if (isContentType(name)) {
            return response.getContentType();
        }
        if (isContentLength(name)) {
            long length = response.getContentLengthLong();
            return length < 0 ? null : Long.toString(length);
        }
        int i = headers.findHeader(name, 0);
        if (i < 0) {
            return null;
        }
        String value = headers.getValue(i).toString();
        for (i = headers.findHeader(name, i + 1); i >= 0; i = headers.findHeader(name, i + 1)) {
            value += ',' + headers.getValue(i).toString();
        }
        return value;
    }

    @Override
    public boolean contains(String name) {
        return header(name) != null;
    }

    @Override
    public void add(String name, String value) {
        if (isContentType(name) || isContentLength(name)) {
            set(name, value);
        } else {
            super.add(name, value);
        }
    }

    @Override
    public void set(String name, String value) {
        if (isContentType(name)) {
            response.setContentType(value);
        } else if (isContentLength(name)) {
            response.setContentLength(Long.parseLong(value));
        } else {
            super.set(name, value);
        }
    }

    @Override
    public void remove(String name) {
        // The length is the body's: without it another framing is used, with a wrong one none would fit.
        if (isContentType(name)) {
            response.setContentType(null);
        } else {
            super.remove(name);
        }
    }

    /** Instead of the app. */
    void send(LocalReply reply) throws IOException {
        response.setStatus(reply.status());
        if (reply.body().length == 0) {
            response.setContentLength(0);
        }
        for (Map.Entry<String, String> header : reply.headers()) {
            add(header.getKey(), header.getValue());
        }
        if (reply.body().length > 0) {
            response.doWrite(ByteBuffer.wrap(reply.body()));
        }
        response.action(ActionCode.CLOSE, null);
    }

    private static boolean isContentType(String name) {
        return name.equalsIgnoreCase("content-type");
    }

    private static boolean isContentLength(String name) {
        return name.equalsIgnoreCase("content-length");
    }
}
