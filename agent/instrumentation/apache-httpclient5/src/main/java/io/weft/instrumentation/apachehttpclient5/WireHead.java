package io.weft.instrumentation.apachehttpclient5;

import io.weft.dataplane.LocalReply;
import io.weft.dataplane.RequestChanges;
import java.net.URISyntaxException;
import java.util.Map;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.HttpVersion;
import org.apache.hc.core5.net.URIAuthority;

/** Heads of messages as the mesh makes them. */
final class WireHead {
    private WireHead() {}

    static String path(HttpRequest request, RequestChanges changes) {
        return changes.path() == null ? request.getPath() : changes.path();
    }

    /**
     * @param wire new, with method and {@link #path}; made without a host it takes the path as it is, while from the path alone it would
     *     read //a/b as host and path
     * @param headers of the request
     */
    static <R extends HttpRequest> R of(R wire, HttpRequest request, Header[] headers, RequestChanges changes) {
        wire.setScheme(request.getScheme());
        wire.setAuthority(request.getAuthority());
        wire.setVersion(request.getVersion());
        wire.setHeaders(headers);
        MessageHeaders edited = new MessageHeaders(wire);
        edited.change(changes);
        if (changes.authority() != null) {
            edited.set("Host", changes.authority());
            wire.setAuthority(authority(changes.authority(), request.getAuthority()));
        }
        return wire;
    }

    private static URIAuthority authority(String authority, URIAuthority otherwise) {
        try {
            return URIAuthority.create(authority);
        } catch (URISyntaxException e) {
            // nothing but the Host header goes out
            return otherwise;
        }
    }

    /** @param response new, with the reply's status */
    static <R extends HttpResponse> R of(R response, LocalReply reply) {
        response.setVersion(HttpVersion.HTTP_1_1);
        for (Map.Entry<String, String> header : reply.headers()) {
            response.addHeader(header.getKey(), header.getValue());
        }
        if (reply.status() != 204 && reply.status() != 304 && !response.containsHeader("content-length")) {
            response.addHeader("content-length", reply.body().length);
        }
        return response;
    }

    static boolean hasBody(LocalReply reply, String method) {
        return reply.status() != 204 && reply.status() != 304 && !method.equals("HEAD");
    }
}
