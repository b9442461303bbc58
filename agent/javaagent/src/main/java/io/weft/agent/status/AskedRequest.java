package io.weft.agent.status;

import io.weft.admin.AdminQuery;
import io.weft.dataplane.RequestHead;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** A request that is only asked about, as its first line and its headers say. */
record AskedRequest(String method, URI url, Map<String, String> headers) implements RequestHead {

    /** @throws IllegalArgumentException when it is none */
    static AskedRequest of(AdminQuery query) {
        String method = query.first("method").orElse("GET").toUpperCase(Locale.ROOT);
        String url = query.first("url").orElseThrow(() -> new IllegalArgumentException("say which, as in /explain?url=http://orders/"));
        Map<String, String> headers = new TreeMap<>();
        for (String header : query.all("header")) {
            int colon = header.indexOf(':');
            if (colon <= 0) {
                throw new IllegalArgumentException("a header is name: value, not '" + header + "'");
            }
            headers.merge(header.substring(0, colon).strip().toLowerCase(Locale.ROOT), header.substring(colon + 1).strip(),
                    (some, more) -> some + "," + more);
        }
        try {
            URI uri = new URI(url);
            if (uri.getScheme() == null || uri.getRawAuthority() == null) {
                throw new IllegalArgumentException("a URL is http://HOST/PATH, not '" + url + "'");
            }
            return new AskedRequest(method, uri, headers);
        } catch (URISyntaxException wrong) {
            throw new IllegalArgumentException("no URL: " + wrong.getMessage(), wrong);
        }
    }

    @Override
    public String scheme() {
        return url.getScheme().toLowerCase(Locale.ROOT);
    }

    @Override
    public String authority() {
        String host = headers.get("host");
        return host == null ? url.getRawAuthority().substring(url.getRawAuthority().indexOf('@') + 1) : host;
    }

    @Override
    public String path() {
        String path = url.getRawPath() == null || url.getRawPath().isEmpty() ? "/" : url.getRawPath();
        return url.getRawQuery() == null ? path : path + "?" + url.getRawQuery();
    }

    @Override
    public String header(String name) {
        return headers.get(name);
    }
}
