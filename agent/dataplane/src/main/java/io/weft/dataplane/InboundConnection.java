package io.weft.dataplane;

import io.weft.dataplane.Connection.Hello;
import io.weft.dataplane.Connection.Peer;
import io.weft.dataplane.route.InboundChains;
import io.weft.dataplane.route.InboundRoutes;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;

/**
 * One connection that a server of the app has accepted, until it is closed. Where {@link #inspects} says so, its first bytes decide
 * what becomes of it:
 * <pre>
 * while (held(…)) leave it alone until it is resumed
 * decide(hello) → PASS    hand its bytes on as they are
 *               → SECURE  make the handshake with an engine of tls(), then secured(peer)
 *               → CLOSE   close it
 * </pre>
 * Thread-safe; decided and secured by one thread at a time.
 */
public final class InboundConnection {

    public enum Fate { PASS, SECURE, CLOSE }

    private record Selection(InboundChains from, InboundRoutes routes) {}

    private final InboundConnections owner;
    private final Runnable closer;
    private final boolean inspects;
    private volatile Connection connection;
    private volatile ServerTls tls;
    /** When the first certificate that either side has shown expires; null: it is not secured. */
    private volatile Instant expiry;
    /** A policy has let it in. */
    private volatile boolean admitted;
    /** The policy now in force would not; 0: it would. Of the clock, and never 0 otherwise. */
    private volatile long endNanos;
    private final AtomicBoolean decided;
    /** Where its first bytes were waited for last; null: never. */
    private volatile InboundConnections.Undecided place;
    /** Empty: it is not held up. */
    private final AtomicReference<Runnable> resume = new AtomicReference<>();
    /** Final fields: whoever comes second may make it again. */
    private Selection selection;
    /** Of the last policy that let it in; null: none named the port. */
    private volatile InboundRoutes routes;
    /** Its requests cannot be looked at. */
    private volatile boolean opaque;

    InboundConnection(InboundConnections owner, Connection connection, boolean inspects, Runnable closer) {
        this.owner = owner;
        this.connection = connection;
        this.inspects = inspects;
        this.closer = closer;
        admitted = !inspects;
        decided = new AtomicBoolean(!inspects);
    }

    /** Whether nothing may be read from it, or written to it, before {@link #decide} was asked. */
    public boolean inspects() {
        return inspects;
    }

    /**
     * Whether nothing of it may be looked at yet: no policy has said anything of its port. Asked before each look at its first bytes.
     *
     * @param resume has the server look at it, after this has returned true, once that is over; on any thread, perhaps before this
     *     returns: must not block. Not called when it is closed before
     */
    public boolean held(Runnable resume) {
        return !decided.get() && owner.holds(this, resume);
    }

    /** @return false: it was held up already */
    boolean hold(Runnable until) {
        leave();
        return resume.getAndSet(until) == null;
    }

    boolean isHeldUp() {
        return resume.get() != null;
    }

    /** @return null: it was not held up */
    Runnable release() {
        return resume.getAndSet(null);
    }

    /** @param hello null: it is in plaintext */
    public Fate decide(Hello hello) {
        connection = new Connection(connection.local(), connection.remote(), hello, null);
        Fate fate = owner.decide(this);
        if (fate == Fate.PASS) {
            admitted = true;
            decided();
        }
        return fate;
    }

    /** Of what it is made secure with. */
    public ServerTls tls() {
        return tls;
    }

    void secureBy(ServerTls with) {
        tls = with;
    }

    /** The handshake is done. */
    public void secured(Peer peer) {
        connection = new Connection(connection.local(), connection.remote(), connection.hello(), peer);
        expiry = expiry(peer.shown().chain());
        admitted = true;
        decided();
        owner.secured(expiry);
    }

    private Instant expiry(List<X509Certificate> shown) {
        Instant own = tls.expires();
        if (shown.isEmpty()) {
            return own;
        }
        Instant peers = shown.get(0).getNotAfter().toInstant();
        return peers.isBefore(own) ? peers : own;
    }

    /** When who is at either end is no longer proved; null: it is not secured. */
    Instant expiry() {
        return expiry;
    }

    private void decided() {
        if (decided.compareAndSet(false, true)) {
            leave();
            owner.decided();
        }
    }

    void waitsAt(InboundConnections.Undecided where) {
        place = where;
        if (decided.get()) {
            // Closed meanwhile, by whom it was not seen yet.
            where.leave();
        }
    }

    private void leave() {
        InboundConnections.Undecided waited = place;
        if (waited != null) {
            waited.leave();
        }
    }

    /** Whether policy says who may call, so that nothing may reach the app that is not looked at request by request. */
    public boolean isRestricted() {
        return owner.isRestricted(this);
    }

    /**
     * It turns out that its requests cannot be looked at. A later policy that says who may call then has it go.
     *
     * @return false: the policy in force does, and it is to be closed
     */
    public boolean admitsOpaque() {
        opaque = true;
        boolean admits = !isRestricted();
        if (!admits) {
            rejected(Rejection.UNGUARDED);
        }
        return admits;
    }

    boolean isOpaque() {
        return opaque;
    }

    /** It is about to be closed for that reason. */
    public void rejected(Rejection why) {
        owner.rejected(why, connection);
    }

    /** The server has closed it. */
    public void closed() {
        owner.unheld(this);
        decided();
        owner.closed(this);
    }

    /** What is known of it; more, once it is decided. */
    public Connection connection() {
        return connection;
    }

    /** @return null: there is none */
    InboundRoutes select(InboundChains chains) {
        Selection known = selection;
        if (known == null || known.from != chains) {
            known = new Selection(chains, chains.select(connection));
            selection = known;
        }
        return known.routes;
    }

    void servedBy(InboundRoutes chain) {
        if (routes != chain) {
            routes = chain;
        }
    }

    /** The filter chain of the last policy that let it in; null: none named the port. */
    InboundRoutes lastRoutes() {
        return routes;
    }

    /** Whether it was let in once, and may go on for a while though the policy in force would not let it in. */
    boolean drains() {
        return admitted && owner.drains(this);
    }

    boolean isAdmitted() {
        return admitted;
    }

    long endNanos() {
        return endNanos;
    }

    void endAt(long nanos) {
        endNanos = nanos;
    }

    /** What is counted of it is given back at once: a server that did not look at it may never find out. */
    void close() {
        closer.run();
        closed();
    }
}
