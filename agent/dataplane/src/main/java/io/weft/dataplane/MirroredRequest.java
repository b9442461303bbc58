package io.weft.dataplane;

import io.weft.dataplane.route.Mirror;
import io.weft.policy.model.HttpVersion;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A copy of a request on its way to a mirror: balanced, admitted, limited and counted like every other request of that cluster, but
 * never tried again, and nobody waits for it.
 */
public final class MirroredRequest extends Exchange {
    /** Of the original's connection and framing. */
    private static final Set<String> OF_THE_CONNECTION = Set.of(
            "connection", "keep-alive", "proxy-connection", "upgrade", "http2-settings", "transfer-encoding", "content-length", "host",
            "expect");

    private final Mirroring mirroring;
    private final Mirror mirror;
    private final RequestHead original;
    private final List<Map.Entry<String, String>> headers;
    private final byte[] body;
    private final AtomicBoolean finished = new AtomicBoolean();
    private volatile Runnable abort = () -> {};

    /** @param original as it was sent */
    MirroredRequest(Mirroring mirroring, Mirror mirror, RequestHead original, List<Map.Entry<String, String>> headers, byte[] body) {
        this.mirroring = mirroring;
        this.mirror = mirror;
        this.original = original;
        this.headers = headers;
        this.body = body;
    }

    /** What of a request's headers goes to a mirror: those of the message, with what the route changed. */
    static List<Map.Entry<String, String>> headers(RequestCopy copy, RequestChanges changes) {
        List<Map.Entry<String, String>> headers = new ArrayList<>(copy.headers());
        headers.removeIf(header -> OF_THE_CONNECTION.contains(lower(header)));
        return changed(headers, changes);
    }

    private static List<Map.Entry<String, String>> changed(List<Map.Entry<String, String>> headers, RequestChanges changes) {
        List<Map.Entry<String, String>> changed = new ArrayList<>(headers);
        for (String name : changes.remove()) {
            changed.removeIf(header -> lower(header).equals(name));
        }
        for (Map.Entry<String, String> set : changes.set()) {
            changed.removeIf(header -> lower(header).equals(set.getKey()));
            changed.add(set);
        }
        changed.addAll(changes.add());
        return changed;
    }

    private static String lower(Map.Entry<String, String> header) {
        return header.getKey().toLowerCase(Locale.ROOT);
    }

    // For whoever sends it.

    /** The Host header, after {@link Step#DIAL}. */
    public String wireAuthority() {
        return mirror.authority(authority());
    }

    /** Without those of the connection and the framing; after {@link Step#DIAL}. */
    public List<Map.Entry<String, String>> wireHeaders() {
        return changed(headers, requestChanges());
    }

    /** May be empty. Not to be changed. */
    public byte[] body() {
        return body;
    }

    /** What to speak to the endpoint. */
    public HttpVersion http() {
        return cluster.http();
    }

    /** @param ends the attempt under way at once, on any thread, without blocking or throwing */
    public void abortBy(Runnable ends) {
        abort = ends;
    }

    /** The response is over, or there is none. In the end of every request, once. */
    public void finish() {
        if (finished.compareAndSet(false, true)) {
            end();
            mirroring.finished(this);
        }
    }

    // For the layers.

    @Override
    protected void abort() {
        abort.run();
    }

    @Override
    public String method() {
        return original.method();
    }

    @Override
    public String scheme() {
        return original.scheme();
    }

    @Override
    public String authority() {
        return original.authority();
    }

    @Override
    public String path() {
        return original.path();
    }

    @Override
    public String header(String name) {
        List<String> values = values(name);
        return values.isEmpty() ? null : String.join(",", values);
    }

    @Override
    public List<String> values(String name) {
        List<String> values = new ArrayList<>(1);
        for (Map.Entry<String, String> header : headers) {
            if (lower(header).equals(name)) {
                values.add(header.getValue());
            }
        }
        return values;
    }

    @Override
    protected boolean hasEnvoyHeaders() {
        return false;
    }

    @Override
    public Replay replay() {
        return body.length == 0 ? Replay.NO_BODY : Replay.REPEATABLE;
    }
}
