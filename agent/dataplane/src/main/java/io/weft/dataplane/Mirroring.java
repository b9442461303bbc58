package io.weft.dataplane;

import io.weft.dataplane.cluster.ClusterView;
import io.weft.dataplane.route.Mirror;
import io.weft.dataplane.route.RouteEntry;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Hands copies of requests to whoever sends them. The original pays for the copy and for nothing else: where it goes is worked out
 * on the sender's thread. What is more than the bounds is dropped, and counted as an overflow of the mirror's cluster. Thread-safe.
 */
final class Mirroring {
    static final int MOST_UNDER_WAY = 1_024;
    static final long MOST_BYTES = 16 << 20;

    private final Faults faults;
    private final Notices.Relay notices;
    private final AtomicInteger underWay = new AtomicInteger();
    private final AtomicLong bytes = new AtomicLong();
    private volatile ClientLayers layers;
    private volatile MirrorSender sender;

    Mirroring(Faults faults, Notices.Relay notices) {
        this.notices = notices;
        this.faults = faults;
    }

    /** The layers of every copy; apart, since those of the original lead here in turn. */
    void through(ClientLayers clientLayers) {
        layers = clientLayers;
    }

    void by(MirrorSender other) {
        sender = other;
    }

    /** Once for a request, when all of it is ready. What goes wrong here is not the original's business. */
    void mirror(Exchange original, DueMirrors due) {
        try {
            copyTo(due, original);
        } catch (RuntimeException fault) {
            faults.fault("mirroring", fault);
        }
    }

    private void copyTo(DueMirrors due, Exchange original) {
        if (sender == null || underWay.get() >= MOST_UNDER_WAY) {
            due.mirrors().forEach(mirror -> drop(due, mirror, original));
            return;
        }
        int limit = ((RouteEntry.Forward) original.route).resend().copyLimit();
        RequestCopy copy = original.copy(limit);
        if (copy == null) {
            original.cluster.state().abandoned();
            if (notices.isNew("mirroring")) {
                notices.notice("a request to " + original.cluster.name() + " is not mirrored: its body is not in memory, can be read "
                        + "only once, or is longer than " + limit + " bytes; others like it are counted and not said");
            }
            return;
        }
        RequestHead sent = original.sentHead();
        List<Map.Entry<String, String>> headers = MirroredRequest.headers(copy, original.requestChanges);
        for (Mirror mirror : due.mirrors()) {
            send(due.policy(), mirror, new MirroredRequest(this, mirror, sent, headers, copy.body()));
        }
    }

    private void send(Policy policy, Mirror mirror, MirroredRequest request) {
        request.route = mirror.route();
        request.destination = mirror.route().destination(request, 0);
        request.cluster = policy.cluster(request.destination, request);
        request.timeouts = mirror.route().timeouts();
        request.priority = mirror.route().priority();
        if (request.cluster == null || request.cluster.originalDestination()) {
            // As in Envoy; nobody is there to be told.
            return;
        }
        boolean fits = underWay.incrementAndGet() <= MOST_UNDER_WAY;
        fits &= bytes.addAndGet(request.body().length) <= MOST_BYTES;
        if (!fits) {
            request.cluster.state().overflowed();
            finished(request);
            return;
        }
        request.claimed(layers);
        sender.send(request);
    }

    private void drop(DueMirrors due, Mirror mirror, Exchange original) {
        ClusterView cluster = due.policy().cluster(mirror.route().destination(original, 0), original.sentHead());
        if (cluster != null) {
            cluster.state().overflowed();
        }
    }

    /** Gives back what the request held. */
    void finished(MirroredRequest request) {
        underWay.decrementAndGet();
        bytes.addAndGet(-request.body().length);
    }
}
