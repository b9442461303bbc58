package io.weft.policy.xds;

import io.netty.channel.EventLoop;
import io.weft.policy.identity.HeldIdentity;
import io.weft.policy.identity.IdentityConfig;
import io.weft.policy.identity.IdentityFiles;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** An identity in files: looked at once a second, taken over when they fit together, and kept as it was when they do not. */
final class WatchedIdentity implements IdentitySource {
    private static final Duration INTERVAL = Duration.ofSeconds(1);
    /** Files that are being replaced do not fit together for a moment, which is no trouble. */
    private static final int PATIENCE = 3;

    private final EventLoop loop;
    private final IdentityFiles files;
    private final Listener listener;
    private final Expiry expiry;
    private int misses;
    private Future<?> next;

    WatchedIdentity(EventLoop loop, IdentityConfig.InFiles source, Environment environment, Listener listener) {
        this.loop = loop;
        this.files = new IdentityFiles(source);
        this.listener = listener;
        this.expiry = new Expiry(loop, environment.clock(), listener::lost);
    }

    @Override
    public void start() {
        look();
        next = loop.scheduleWithFixedDelay(this::look, INTERVAL.toMillis(), INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void look() {
        try {
            Optional<HeldIdentity> fresh = files.changed();
            misses = 0;
            if (fresh.isPresent()) {
                take(fresh.get());
            }
        } catch (IOException e) {
            if (++misses == PATIENCE) {
                listener.trouble(e.getMessage());
            }
        }
    }

    private void take(HeldIdentity identity) {
        Optional<Instant> expires = identity.expires();
        if (expires.isEmpty() || expiry.at(expires.get()).compareTo(Duration.ZERO) > 0) {
            listener.held(identity);
        } else {
            listener.trouble("the certificate in the files has expired on " + expires.get());
            listener.lost();
        }
    }

    @Override
    public void stop() {
        expiry.cancel();
        if (next != null) {
            next.cancel(false);
        }
    }
}
