package io.weft.instrumentation.apachehttpclient4;

import io.weft.dataplane.LocalReply;
import io.weft.dataplane.RequestChanges;
import java.util.Locale;
import java.util.Map;
import org.apache.http.HttpEntity;
import org.apache.http.HttpEntityEnclosingRequest;
import org.apache.http.HttpRequest;
import org.apache.http.HttpResponse;
import org.apache.http.HttpVersion;
import org.apache.http.client.methods.HttpRequestWrapper;
import org.apache.http.entity.ByteArrayEntity;
import org.apache.http.impl.EnglishReasonPhraseCatalog;
import org.apache.http.message.BasicHttpEntityEnclosingRequest;
import org.apache.http.message.BasicHttpRequest;
import org.apache.http.message.BasicHttpResponse;

/** Messages as the mesh makes them. */
final class WireHead {
    private WireHead() {}

    /** @param body null: none */
    static HttpRequest of(HttpRequestWrapper request, RequestChanges changes, HttpEntity body) {
        String target = changes.path() == null ? request.getRequestLine().getUri() : changes.path();
        BasicHttpRequest wire = of(request, target, body);
        wire.setHeaders(request.getAllHeaders());
        MessageHeaders headers = new MessageHeaders(wire);
        headers.change(changes);
        if (changes.authority() != null) {
            headers.set("Host", changes.authority());
        }
        return wire;
    }

    private static BasicHttpRequest of(HttpRequestWrapper request, String target, HttpEntity body) {
        if (!(request instanceof HttpEntityEnclosingRequest)) {
            return new BasicHttpRequest(request.getMethod(), target, request.getProtocolVersion());
        }
        BasicHttpEntityEnclosingRequest wire =
                new BasicHttpEntityEnclosingRequest(request.getMethod(), target, request.getProtocolVersion());
        wire.setEntity(body);
        return wire;
    }

    /** @param method of the request that it answers */
    static HttpResponse of(LocalReply reply, String method) {
        BasicHttpResponse response = new BasicHttpResponse(
                HttpVersion.HTTP_1_1, reply.status(), EnglishReasonPhraseCatalog.INSTANCE.getReason(reply.status(), Locale.ROOT));
        for (Map.Entry<String, String> header : reply.headers()) {
            response.addHeader(header.getKey(), header.getValue());
        }
        if (reply.status() == 204 || reply.status() == 304) {
            return response;
        }
        if (!response.containsHeader("content-length")) {
            response.addHeader("content-length", Integer.toString(reply.body().length));
        }
        if (!method.equals("HEAD")) {
            ByteArrayEntity entity = new ByteArrayEntity(reply.body());
            entity.setContentType(response.getFirstHeader("content-type"));
            response.setEntity(entity);
        }
        return response;
    }
}
