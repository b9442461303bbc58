package io.weft.instrumentation.jetty;

import io.weft.dataplane.RequestChanges;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpURI;
import org.eclipse.jetty.server.Request;

/** A request as the app is to see it. */
final class AdmittedRequest extends Request.Wrapper {
    private final HttpURI uri;
    private final HttpFields headers;

    AdmittedRequest(Request request, RequestChanges changes) {
        super(request);
        uri = changes.path() == null && changes.authority() == null ? request.getHttpURI() : uri(request.getHttpURI(), changes);
        headers = changes == RequestChanges.NONE ? request.getHeaders() : headers(request.getHeaders(), changes);
    }

    private static HttpURI uri(HttpURI uri, RequestChanges changes) {
        HttpURI.Mutable changed = HttpURI.build(uri);
        if (changes.path() != null) {
            changed.pathQuery(changes.path());
        }
        if (changes.authority() != null) {
            changed.authority(changes.authority());
        }
        return changed.asImmutable();
    }

    private static HttpFields headers(HttpFields headers, RequestChanges changes) {
        HttpFields.Mutable changed = HttpFields.build(headers);
        new Headers(changed).change(changes);
        if (changes.authority() != null) {
            changed.put(HttpHeader.HOST, changes.authority());
        }
        return changed.asImmutable();
    }

    @Override
    public HttpURI getHttpURI() {
        return uri;
    }

    @Override
    public HttpFields getHeaders() {
        return headers;
    }
}
