package io.weft.dataplane;

import io.weft.dataplane.Connection.Peer;
import io.weft.dataplane.InboundConnection.Fate;
import io.weft.dataplane.UnnamedPorts.Verdict;
import io.weft.dataplane.route.InboundChains;
import io.weft.dataplane.route.InboundRoutes;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.EnumMap;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/**
 * The connections that the app's servers have accepted: who gets in, and who has to go when policy changes. A connection that the new
 * policy would not let in is asked to end with its next response and closed when the drain's time is over, as Envoy drains the
 * connections of a filter chain that is gone. So is one whose peer is not trusted any longer, and one that has outlived a certificate of
 * either side: a certificate that is only replaced cuts nothing.
 *
 * <p>Those that have not said yet what they are may be so for a limited time and in a limited number; when there are more, the oldest
 * has to go. Thread-safe.
 */
final class InboundConnections {
    private static final long HANDSHAKE_NANOS = Duration.ofSeconds(10).toNanos();
    private static final int MOST_UNDECIDED = 1_000;
    private static final int MOST_HELD = 1_000;
    /** Between two looks for certificates that have expired: the machine's time may be set meanwhile. */
    private static final Duration LONG = Duration.ofHours(1);
    /** After the end of a hold, so that a look then finds that it is over. */
    private static final long A_MOMENT_NANOS = 1_000_000;

    private final Supplier<Policy> policy;
    private final UnnamedPorts unnamed;
    private final NanoClock clock;
    private final InstantSource time;
    private final Timers timers;
    private final Refusals refusals;
    private final Set<InboundConnection> open = ConcurrentHashMap.newKeySet();
    private final Map<Rejection, LongAdder> rejections = new EnumMap<>(Rejection.class);
    /** In the order of their deadlines; the place of one that is decided stays until it is at the head, empty. */
    private final Queue<Undecided> undecided = new ConcurrentLinkedQueue<>();
    private final AtomicInteger undecidedCount = new AtomicInteger();
    /** In the order in which they came. */
    private final Queue<InboundConnection> held = new ConcurrentLinkedQueue<>();
    private final AtomicInteger heldCount = new AtomicInteger();
    /** When these are looked at next. */
    private final Set<Long> looksAtHeld = ConcurrentHashMap.newKeySet();
    private volatile long drainNanos = Duration.ofSeconds(10).toNanos();
    private volatile boolean draining;
    /** When what is open is looked at for certificates that have expired. Written under this object's lock. */
    private volatile Instant nextExpiry = Instant.MAX;
    /** Guarded by this object's lock. */
    private Timers.Timer nextLook = () -> { };

    /** The place of one whose first bytes are waited for. Thread-safe. */
    static final class Undecided {
        private final long deadline;
        /** Null: it is not waited for any more. It leads to the server and to the app. */
        private volatile InboundConnection connection;

        Undecided(InboundConnection connection, long deadline) {
            this.connection = connection;
            this.deadline = deadline;
        }

        void leave() {
            connection = null;
        }
    }

    /** @param policy gives null before the first */
    InboundConnections(Supplier<Policy> policy, UnnamedPorts unnamed, Surroundings surroundings, Refusals refusals) {
        this.policy = policy;
        this.unnamed = unnamed;
        clock = surroundings.clock();
        time = surroundings.time();
        timers = surroundings.timers();
        this.refusals = refusals;
        for (Rejection rejection : Rejection.values()) {
            rejections.put(rejection, new LongAdder());
        }
    }

    void drainWithin(Duration limit) {
        drainNanos = limit.toNanos();
    }

    long drainNanos() {
        return drainNanos;
    }

    long rejections(Rejection why) {
        return rejections.get(why).sum();
    }

    /** How many have not said yet what they are. */
    int undecided() {
        return undecidedCount.get();
    }

    /** @return null: it is to be closed */
    InboundConnection accepted(InetSocketAddress local, InetSocketAddress remote, boolean ownTls, Runnable closer) {
        Policy inForce = policy.get();
        InboundChains chains = inForce == null ? null : inForce.inbound().find(local.getPort());
        Verdict verdict = chains == null ? unnamed.verdict(local.getPort(), ownTls) : Verdict.OPEN;
        boolean inspects = !ownTls && (verdict == Verdict.HELD || chains != null && chains.inspects());
        Connection connection = new Connection(local, remote, ownTls ? InboundPorts.OWN_TLS : null, null);
        if (verdict == Verdict.CLOSED) {
            rejected(Rejection.NO_POLICY, connection);
            return null;
        }
        if (chains != null && !inspects) {
            InboundRoutes routes = chains.select(connection);
            Rejection why = routes == null ? Rejection.NO_FILTER_CHAIN
                    : routes.isSecured() ? Rejection.UNSECURABLE
                    : !routes.admitsConnection() ? Rejection.RATE_LIMIT
                    : null;
            if (why != null) {
                rejected(why, connection);
                return null;
            }
        }
        InboundConnection accepted = new InboundConnection(this, connection, inspects, closer);
        open.add(accepted);
        if (inspects) {
            begin(accepted);
        }
        return accepted;
    }

    private void begin(InboundConnection connection) {
        Undecided place = new Undecided(connection, clock.nanoTime() + HANDSHAKE_NANOS);
        connection.waitsAt(place);
        undecided.add(place);
        timers.schedule(HANDSHAKE_NANOS, this::sweep);
        if (undecidedCount.incrementAndGet() > MOST_UNDECIDED) {
            for (Undecided oldest = undecided.poll(); oldest != null; oldest = undecided.poll()) {
                InboundConnection pending = oldest.connection;
                if (pending != null) {
                    pending.rejected(Rejection.HANDSHAKE_NUMBER);
                    pending.close();
                    return;
                }
            }
        }
    }

    private void sweep() {
        long now = clock.nanoTime();
        for (Undecided oldest = undecided.peek(); oldest != null; oldest = undecided.peek()) {
            InboundConnection pending = oldest.connection;
            if (pending != null && oldest.deadline - now > 0) {
                return;
            }
            if (undecided.remove(oldest) && pending != null) {
                pending.rejected(Rejection.HANDSHAKE_TIME);
                pending.close();
            }
        }
    }

    private boolean isHeld(InboundConnection connection) {
        Policy inForce = policy.get();
        int port = connection.connection().localPort();
        return (inForce == null || inForce.inbound().find(port) == null) && unnamed.verdict(port, false) == Verdict.HELD;
    }

    /** @return whether it is held up; resumed once it is not any longer */
    boolean holds(InboundConnection connection, Runnable resume) {
        if (!isHeld(connection)) {
            return false;
        }
        if (!connection.hold(resume)) {
            return true;
        }
        undecidedCount.decrementAndGet();
        held.add(connection);
        if (!connection.isHeldUp()) {
            // Closed meanwhile, by whom it was not seen yet.
            held.remove(connection);
        }
        if (heldCount.incrementAndGet() > MOST_HELD) {
            closeOldestHeld();
        }
        long end = unnamed.heldUntilNanos(connection.connection().localPort()) + A_MOMENT_NANOS;
        lookAtHeld(end);
        lookAtHeld(end + UnnamedPorts.READING_NANOS);
        // A policy may have come since it was asked for.
        reconsider(connection);
        return true;
    }

    /** Once for all that are held up for the same reason. */
    private void lookAtHeld(long nanos) {
        if (looksAtHeld.add(nanos)) {
            timers.schedule(nanos - clock.nanoTime(), () -> {
                looksAtHeld.remove(nanos);
                reconsider();
            });
        }
    }

    private void closeOldestHeld() {
        for (InboundConnection oldest = held.poll(); oldest != null; oldest = held.poll()) {
            if (oldest.release() != null) {
                heldCount.decrementAndGet();
                undecidedCount.incrementAndGet();
                oldest.rejected(Rejection.NO_POLICY);
                oldest.close();
                return;
            }
        }
    }

    /** What is known of the ports has changed: those that are held up for no reason any more go on. */
    void reconsider() {
        held.forEach(this::reconsider);
    }

    private void reconsider(InboundConnection connection) {
        if (!isHeld(connection)) {
            Runnable resume = unheld(connection);
            if (resume != null) {
                undecidedCount.decrementAndGet();
                begin(connection);
                resume.run();
            }
        }
    }

    /** @return null: it was not held up, or somebody else has taken it up */
    Runnable unheld(InboundConnection connection) {
        Runnable resume = connection.release();
        if (resume != null) {
            held.remove(connection);
            heldCount.decrementAndGet();
            undecidedCount.incrementAndGet();
        }
        return resume;
    }

    /** One that had not said before what it is. */
    void decided() {
        undecidedCount.decrementAndGet();
    }

    Fate decide(InboundConnection connection) {
        Policy inForce = policy.get();
        Connection known = connection.connection();
        InboundChains chains = inForce == null ? null : inForce.inbound().find(known.localPort());
        if (chains == null) {
            if (unnamed.verdict(known.localPort(), false) == Verdict.OPEN) {
                unnamed.admitted(known.localPort());
                return Fate.PASS;
            }
            rejected(Rejection.NO_POLICY, known);
            return Fate.CLOSE;
        }
        InboundRoutes routes = connection.select(chains);
        Rejection why = rejection(routes, known);
        if (why != null) {
            rejected(why, known);
            return Fate.CLOSE;
        }
        if (!routes.isSecured()) {
            return Fate.PASS;
        }
        connection.secureBy(routes.tls());
        return Fate.SECURE;
    }

    boolean isRestricted(InboundConnection connection) {
        Policy inForce = policy.get();
        InboundChains chains = inForce == null ? null : inForce.inbound().find(connection.connection().localPort());
        InboundRoutes routes = chains == null ? null : connection.select(chains);
        return routes != null && routes.isRestricted();
    }

    private Rejection rejection(InboundRoutes routes, Connection known) {
        if (routes == null) {
            return known.hello() == null ? Rejection.PLAINTEXT : Rejection.NO_FILTER_CHAIN;
        }
        if (routes.isSecured() && known.hello() == null) {
            return Rejection.PLAINTEXT;
        }
        if (routes.isSecured() && routes.tls() == null) {
            return Rejection.NO_IDENTITY;
        }
        if (routes.isSecured() && !routes.tls().isValid(time.instant())) {
            return Rejection.EXPIRED_IDENTITY;
        }
        return routes.admitsConnection() ? null : Rejection.RATE_LIMIT;
    }

    void rejected(Rejection why, Connection connection) {
        rejections.get(why).increment();
        refusals.connectionRefused(why, connection);
    }

    void closed(InboundConnection connection) {
        open.remove(connection);
    }

    /** Any that is open may have to go. */
    boolean draining() {
        return draining;
    }

    /** A policy came into force: those that it would not let in have to go. */
    void policyChanged() {
        Policy inForce = policy.get();
        unnamed.policyChanged(inForce);
        boolean any = false;
        for (InboundConnection connection : open) {
            if (connection.isAdmitted()) {
                if (isWelcome(connection, inForce)) {
                    connection.endAt(0);
                } else {
                    any = true;
                    drains(connection);
                }
            }
        }
        draining = any;
        reconsider();
    }

    private boolean isWelcome(InboundConnection connection, Policy inForce) {
        InboundChains chains = inForce.inbound().find(connection.connection().localPort());
        if (chains == null) {
            return connection.connection().peer() == null && verdict(connection.connection().localPort(), false) != Verdict.CLOSED;
        }
        InboundRoutes routes = connection.select(chains);
        return routes != null
                && routes.fits(connection.connection())
                && isTrusted(connection, routes.tls())
                && !(connection.isOpaque() && routes.isRestricted());
    }

    /** @param tls of the chain that it would get now; null: that has no identity, or is not secured */
    private boolean isTrusted(InboundConnection connection, ServerTls tls) {
        Peer peer = connection.connection().peer();
        if (peer == null) {
            return true;
        }
        return tls != null
                && time.instant().isBefore(connection.expiry())
                && (tls == connection.tls() || tls.stillAdmits(peer, connection.tls()));
    }

    /** One more that is to go at that time, at the latest. */
    void secured(Instant expiry) {
        if (expiry.isBefore(nextExpiry)) {
            lookAt(expiry);
        }
    }

    private synchronized void lookAt(Instant expiry) {
        if (expiry.isBefore(nextExpiry)) {
            nextExpiry = expiry;
            nextLook.cancel();
            Duration left = Duration.between(time.instant(), expiry);
            nextLook = timers.schedule(left.compareTo(LONG) > 0 ? LONG.toNanos() : left.toNanos(), this::drainExpired);
        }
    }

    private void drainExpired() {
        synchronized (this) {
            nextExpiry = Instant.MAX;
        }
        Instant now = time.instant();
        Instant next = Instant.MAX;
        for (InboundConnection connection : open) {
            Instant expiry = connection.expiry();
            if (expiry != null && !now.isBefore(expiry)) {
                drains(connection);
            } else if (expiry != null && expiry.isBefore(next)) {
                next = expiry;
            }
        }
        secured(next);
    }

    /** What becomes of what comes in to a port that no policy names. */
    Verdict verdict(int port, boolean ownTls) {
        return unnamed.verdict(port, ownTls);
    }

    boolean drains(InboundConnection connection) {
        long now = clock.nanoTime();
        if (connection.endNanos() == 0) {
            draining = true;
            connection.endAt(now + drainNanos | 1);
            timers.schedule(drainNanos, () -> close(connection));
        }
        return connection.endNanos() - now > 0;
    }

    private void close(InboundConnection connection) {
        long end = connection.endNanos();
        if (end != 0 && end - clock.nanoTime() <= 1 && open.remove(connection)) {
            connection.close();
        }
    }
}
