package io.weft.instrumentation.helidon;

import io.helidon.http.Header;
import io.helidon.http.HeaderNames;
import io.helidon.http.Headers;
import io.helidon.webclient.api.ClientUri;
import io.helidon.webclient.api.WebClientServiceRequest;
import io.weft.dataplane.Exchange;
import io.weft.dataplane.RequestCopy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** One request of Helidon's WebClient as the mesh sees it. */
final class OutgoingRequest extends Exchange {
    private static final String ENVOY = "x-envoy-";
    private static final int HTTP_PORT = 80;

    private final String protocol;
    private final WebClientServiceRequest request;
    /** Null: it is written as it goes, or not known yet. */
    private byte[] entity;
    /** As the app has said it: to the headers the library adds one of its own, while a mirror is asked by another thread. */
    private final String authority;
    /** By a header of the app's. */
    private final boolean named;
    /** Null before it was asked for: the library encodes it anew each time. */
    private String path;

    /** Under way; null before the first. */
    private volatile Attempt attempt;

    OutgoingRequest(String protocol, WebClientServiceRequest request, byte[] entity) {
        this.protocol = protocol;
        this.request = request;
        this.entity = entity;
        String host = RequestHeaders.joined(request.headers(), HeaderNames.HOST);
        named = host != null;
        authority = named ? host : authority(request.uri());
    }

    WebClientServiceRequest request() {
        return request;
    }

    byte[] entity() {
        return entity;
    }

    /** What is to be sent, as often as it takes. Before the first attempt. */
    void sends(byte[] bytes) {
        entity = bytes;
    }

    /** The app's own {@code Host} is sent again: over HTTP/2 the library takes it out of the headers, to send it as {@code :authority}. */
    void keepHost() {
        if (named && !request.headers().contains(HeaderNames.HOST)) {
            request.headers().set(HeaderNames.HOST, authority);
        }
    }

    void begins(Attempt begun) {
        attempt = begun;
    }

    @Override
    protected boolean isRead() {
        return true;
    }

    @Override
    protected void abort() {
        Attempt begun = attempt;
        if (begun != null) {
            begun.end();
        }
    }

    @Override
    public String protocol() {
        return protocol;
    }

    @Override
    public String method() {
        return request.method().text();
    }

    @Override
    public String scheme() {
        return "http";
    }

    @Override
    public String authority() {
        return authority;
    }

    /** Helidon itself says the port even where that is the scheme's. */
    private static String authority(ClientUri uri) {
        return uri.port() == HTTP_PORT ? uri.host() : uri.authority();
    }

    @Override
    public String path() {
        String known = path;
        if (known == null) {
            String all = request.uri().pathWithQueryAndFragment();
            int fragment = all.indexOf('#');
            known = fragment < 0 ? all : all.substring(0, fragment);
            path = known;
        }
        return known;
    }

    @Override
    public String header(String name) {
        return RequestHeaders.joined(request.headers(), name);
    }

    @Override
    public List<String> values(String name) {
        return RequestHeaders.values(request.headers(), name);
    }

    @Override
    protected boolean hasEnvoyHeaders() {
        for (Header header : request.headers()) {
            if (header.name().regionMatches(true, 0, ENVOY, 0, ENVOY.length())) {
                return true;
            }
        }
        return false;
    }

    @Override
    public long bodyLength() {
        return entity == null ? request.headers().contentLength().orElse(-1) : entity.length;
    }

    @Override
    public Replay replay() {
        if (entity == null) {
            return Replay.ONE_SHOT;
        }
        return entity.length == 0 ? Replay.NO_BODY : Replay.REPEATABLE;
    }

    @Override
    protected RequestCopy copy(int maxBodyBytes) {
        if (entity == null || entity.length > maxBodyBytes) {
            return null;
        }
        Headers headers = request.headers();
        List<Map.Entry<String, String>> copied = new ArrayList<>();
        for (Header header : headers) {
            for (String value : header.allValues()) {
                copied.add(Map.entry(header.name(), value));
            }
        }
        return new RequestCopy(copied, entity.clone());
    }
}
