package io.weft.instrumentation.jettyclientbefore12;

import io.weft.dataplane.RequestChanges;
import java.net.HttpCookie;
import java.net.URI;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.eclipse.jetty.client.HttpConversation;
import org.eclipse.jetty.client.HttpRequest;
import org.eclipse.jetty.client.api.Request;
import org.eclipse.jetty.client.api.Response;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpVersion;

/**
 * The request of one attempt: the app's, as the mesh changes it on the wire. What the library adds before it sends, it adds to the app's in
 * the first attempt that has a connection, as without the mesh.
 */
final class AttemptRequest extends HttpRequest {
    private static final URI NOWHERE = URI.create("http://mesh");

    private final Attempt attempt;
    private final HttpRequest app;
    private final MeshTag tag;
    private final RequestChanges changes;
    private final Internals internals;

    /** The endpoint's address is asked for, and not what the app's URL says. For the thread that makes the attempt. */
    private boolean addressed;

    /** As it goes out. Null: as the app's. Written by the thread that sends, before it does. */
    private HttpFields headers;

    private boolean sending;

    AttemptRequest(Attempt attempt, HttpRequest app, MeshTag tag, RequestChanges changes, Internals internals) {
        super(attempt.hop().client(), new HttpConversation(), NOWHERE);
        this.attempt = attempt;
        this.app = app;
        this.tag = tag;
        this.changes = changes;
        this.internals = internals;
    }

    Attempt attempt() {
        return attempt;
    }

    void addressed(boolean addressed) {
        this.addressed = addressed;
    }

    /** It has a connection, and goes out when this returns. */
    void begins() {
        attempt.hop().begins(this);
        if (!changes.equals(RequestChanges.NONE)) {
            JettyHeaders changed = new JettyHeaders(own(), internals);
            changed.change(changes);
            if (changes.authority() != null && changed.contains("host")) {
                changed.set("Host", changes.authority());
            }
        }
        sending = true;
        attempt.begins();
    }

    // Where it goes.

    @Override
    public String getScheme() {
        return app.getScheme();
    }

    @Override
    public String getHost() {
        return addressed ? tag.endpoint().address().getAddress().getHostAddress() : app.getHost();
    }

    @Override
    public int getPort() {
        return addressed ? tag.endpoint().address().getPort() : app.getPort();
    }

    @Override
    public Object getTag() {
        return tag;
    }

    // What is sent.

    @Override
    public String getMethod() {
        return app.getMethod();
    }

    @Override
    public String getPath() {
        if (!sending || changes.path() == null) {
            return app.getPath();
        }
        int query = changes.path().indexOf('?');
        return query < 0 ? changes.path() : changes.path().substring(0, query);
    }

    @Override
    public String getQuery() {
        if (!sending || changes.path() == null) {
            return app.getQuery();
        }
        int query = changes.path().indexOf('?');
        return query < 0 ? null : changes.path().substring(query + 1);
    }

    @Override
    public Request path(String path) {
        if (attempt.hop().isFirstConnected(attempt)) {
            app.path(path);
        }
        return this;
    }

    @Override
    public URI getURI() {
        return app.getURI();
    }

    @Override
    public HttpVersion getVersion() {
        return app.getVersion();
    }

    @Override
    public List<HttpCookie> getCookies() {
        return app.getCookies();
    }

    @Override
    public HttpFields getHeaders() {
        // The library's own constructor comes by before there are any.
        return headers != null ? headers : app == null ? super.getHeaders() : app.getHeaders();
    }

    @Override
    public Request header(String name, String value) {
        if (value == null) {
            edit(fields -> internals.remove(fields, name));
        } else {
            edit(fields -> internals.add(fields, name, value));
        }
        return this;
    }

    @Override
    public Request header(HttpHeader header, String value) {
        return header(header.asString(), value);
    }

    /** From 10 on it overrides what the library calls. */
    public HttpRequest addHeader(HttpField header) {
        edit(fields -> internals.add(fields, header));
        return this;
    }

    /** As the other. */
    @SuppressWarnings({"rawtypes", "unchecked"})
    public Request headers(Consumer consumer) {
        edit(consumer);
        return this;
    }

    private void edit(Consumer<Object> edit) {
        if (sending) {
            edit.accept(own());
        } else if (attempt.hop().isFirstConnected(attempt)) {
            edit.accept(app.getHeaders());
        }
    }

    private HttpFields own() {
        if (headers == null) {
            headers = internals.copy(app.getHeaders());
        }
        return headers;
    }

    @Override
    public Supplier<HttpFields> getTrailers() {
        return app.getTrailers();
    }

    /** The app's own is asked above. */
    @Override
    public boolean isFollowRedirects() {
        return false;
    }

    // How long it may take.

    @Override
    public long getIdleTimeout() {
        return app.getIdleTimeout();
    }

    @Override
    public long getTimeout() {
        return app.getTimeout();
    }

    // What becomes of it.

    @Override
    public BiFunction<Request, Request, Response.CompleteListener> getPushListener() {
        return app.getPushListener();
    }

    /** That of its kind that the library itself keeps says that an interim response was seen. */
    @Override
    public Request attribute(String name, Object value) {
        app.attribute(name, value);
        return super.attribute(name, value);
    }
}
