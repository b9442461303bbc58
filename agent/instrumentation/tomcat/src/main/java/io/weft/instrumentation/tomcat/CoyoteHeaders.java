package io.weft.instrumentation.tomcat;

import io.weft.instrumentation.EditableHeaders;
import org.apache.tomcat.util.http.MimeHeaders;

/** Headers of a request or response, apart from those of a response that coyote keeps elsewhere. */
class CoyoteHeaders implements EditableHeaders {
    final MimeHeaders headers;

    CoyoteHeaders(MimeHeaders headers) {
        this.headers = headers;
    }

    @Override
    public boolean contains(String name) {
        return headers.findHeader(name, 0) >= 0;
    }

    @Override
    public void add(String name, String value) {
        headers.addValue(name).setString(value);
    }

    @Override
    public void set(String name, String value) {
        headers.removeHeader(name);
        headers.addValue(name).setString(value);
    }

    @Override
    public void remove(String name) {
        headers.removeHeader(name);
    }
}
