package io.weft.instrumentation.jettyclient;

import io.weft.dataplane.RequestChanges;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.client.Response;
import org.eclipse.jetty.client.transport.HttpConversation;
import org.eclipse.jetty.client.transport.HttpRequest;
import org.eclipse.jetty.http.HttpCookie;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpVersion;

/**
 * The request of one attempt: the app's, as the mesh changes it on the wire. What the library adds before it sends, it adds to the app's in
 * the first attempt that has a connection, as without the mesh; the app's listeners hear of each event once.
 */
final class AttemptRequest extends HttpRequest {
    private static final URI NOWHERE = URI.create("http://mesh");

    private final Attempt attempt;
    private final HttpRequest app;
    private final MeshTag tag;
    private final RequestChanges changes;
    /** Null: none. Written for the last time by the thread that sends, before it does. */
    private Request.Content body;

    /** The app's own authentication may ask. For the thread that has a connection for it. */
    private boolean completing;

    /** As it goes out. Null: as the app's. Written by the thread that sends, before it does. */
    private HttpFields.Mutable headers;

    private boolean sending;

    AttemptRequest(Attempt attempt, HttpRequest app, MeshTag tag, RequestChanges changes, Request.Content body) {
        super(attempt.hop().client(), new HttpConversation(), NOWHERE);
        this.attempt = attempt;
        this.app = app;
        this.tag = tag;
        this.changes = changes;
        this.body = body;
    }

    Attempt attempt() {
        return attempt;
    }

    /** The library adds what the request lacks. */
    void completing(boolean completing) {
        this.completing = completing;
    }

    // Where it goes. 12.1.14 asks once more when a connection is lost before the request is on it: it is the endpoint until nobody but the
    // app's own code can ask.

    @Override
    public String getScheme() {
        return app.getScheme();
    }

    @Override
    public String getHost() {
        return isSeenByApp() ? app.getHost() : tag.endpoint().ip();
    }

    @Override
    public int getPort() {
        return isSeenByApp() ? app.getPort() : tag.endpoint().address().getPort();
    }

    private boolean isSeenByApp() {
        return completing || sending;
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
        // The library's own constructor comes by before there is one.
        return app == null ? super.getURI() : app.getURI();
    }

    @Override
    public HttpVersion getVersion() {
        return app.getVersion();
    }

    @Override
    public boolean isVersionExplicit() {
        return app.isVersionExplicit();
    }

    @Override
    public List<HttpCookie> getCookies() {
        return app.getCookies();
    }

    @Override
    public HttpFields getHeaders() {
        return headers == null ? app.getHeaders() : headers;
    }

    @Override
    public Request headers(Consumer<HttpFields.Mutable> consumer) {
        if (sending) {
            consumer.accept(own());
        } else if (attempt.hop().isFirstConnected(attempt)) {
            app.headers(consumer);
        }
        return this;
    }

    @Override
    public HttpRequest addHeader(HttpField header) {
        headers(fields -> fields.add(header));
        return this;
    }

    private HttpFields.Mutable own() {
        if (headers == null) {
            headers = HttpFields.build(app.getHeaders());
        }
        return headers;
    }

    @Override
    public Supplier<HttpFields> getTrailersSupplier() {
        return app.getTrailersSupplier();
    }

    @Override
    public Request.Content getBody() {
        return body;
    }

    /** Up to 12.0.12 the library gives an empty one to a request that has none, for its redirects and for what sends it. */
    @Override
    public Request body(Request.Content content) {
        body = content;
        if (attempt.hop().isFirstConnected(attempt)) {
            app.body(content);
        }
        return this;
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

    @Override
    public long getTimeoutNanoTime() {
        return app.getTimeoutNanoTime();
    }

    // What becomes of it.

    @Override
    public BiFunction<Request, Request, Response.CompleteListener> getPushHandler() {
        return app.getPushHandler();
    }

    /** That of its kind that the library itself keeps says that an interim response was seen. */
    @Override
    public Request attribute(String name, Object value) {
        app.attribute(name, value);
        return super.attribute(name, value);
    }

    @Override
    public void notifyQueued() {
        attempt.hop().queued();
    }

    @Override
    public void notifyBegin() {
        attempt.hop().begins(attempt);
        if (!changes.equals(RequestChanges.NONE)) {
            new JettyHeaders(own()).change(changes);
            if (changes.authority() != null && own().contains(HttpHeader.HOST)) {
                own().put(HttpHeader.HOST, changes.authority());
            }
        }
        sending = true;
        attempt.begins();
    }

    @Override
    public void notifyHeaders() {
        attempt.hop().headers();
    }

    @Override
    public void notifyCommit() {
        attempt.hop().commits(attempt);
    }

    @Override
    public void notifyContent(ByteBuffer content) {
        int bytes = content.remaining();
        attempt.hop().content(attempt, content);
        attempt.bytesSent(bytes);
    }

    @Override
    public void notifySuccess() {
        attempt.sent();
    }

    /** The app hears of it only if it is the last one. */
    @Override
    public void notifyFailure(Throwable failure) {}
}
