package io.weft.dataplane.jwt;

import io.weft.dataplane.Randomness;
import io.weft.dataplane.Timers;
import io.weft.policy.model.JwtAuthentication.RemoteKeys;
import io.weft.policy.model.JwtAuthentication.Retries;
import java.lang.ref.WeakReference;

/**
 * Keys that are fetched again and again, for as long as a filter holds this object. Good keys stay in force until there are
 * others: a key server that is down locks nobody out who was let in before, as with Envoy's {@code async_fetch}, which here is how
 * all keys are fetched.
 */
final class RemoteKeySource implements KeySource {
    /** Keys are fetched a little before they are too old, as in Envoy. */
    private static final long EARLY_NANOS = 5_000_000_000L;
    private static final long RETRY_NANOS = 1_000_000_000L;

    private final RemoteKeys config;
    private final KeyFetcher fetcher;
    private final Timers timers;
    private final Randomness randomness;
    private volatile JsonWebKeys keys = JsonWebKeys.NONE;
    private volatile boolean pending = true;
    /** Of the fetch under way; touched by one attempt after the other. */
    private int attempts;

    RemoteKeySource(RemoteKeys config, KeyFetcher fetcher, Timers timers, Randomness randomness) {
        this.config = config;
        this.fetcher = fetcher;
        this.timers = timers;
        this.randomness = randomness;
    }

    void start() {
        schedule(this, 0);
    }

    @Override
    public JsonWebKeys keys() {
        return keys;
    }

    @Override
    public boolean pending() {
        return pending;
    }

    @Override
    public JwtStatus withoutKeys() {
        return JwtStatus.FETCH_FAILED;
    }

    /** The timer does not keep it alive. */
    private static void schedule(RemoteKeySource source, long delayNanos) {
        WeakReference<RemoteKeySource> reference = new WeakReference<>(source);
        source.timers.schedule(delayNanos, () -> {
            RemoteKeySource alive = reference.get();
            if (alive != null) {
                alive.fetch();
            }
        });
    }

    private void fetch() {
        try {
            fetcher.fetch(config, this::fetched);
        } catch (RuntimeException e) {
            // As a fetch that failed: whoever waits for keys must not wait for ever.
            tryLater();
        }
    }

    private void fetched(String body) {
        try {
            use(body);
        } catch (RuntimeException e) {
            tryLater();
        }
    }

    private void tryLater() {
        again(RETRY_NANOS);
    }

    private void use(String body) {
        JsonWebKeys fetched = body == null ? JsonWebKeys.NONE : JsonWebKeys.parse(body);
        if (!fetched.isEmpty()) {
            keys = fetched;
            again(Math.max(config.cache().toNanos() - EARLY_NANOS, config.cache().toNanos() / 2));
        } else if (attempts < config.retries().attempts()) {
            schedule(this, backoff(config.retries(), attempts++));
        } else {
            again(config.refetch().toNanos());
        }
    }

    private void again(long delayNanos) {
        attempts = 0;
        pending = false;
        schedule(this, delayNanos);
    }

    /** Fully jittered, as Envoy's. */
    private long backoff(Retries retries, int failed) {
        long base = retries.baseInterval().toNanos();
        long limit = Math.min(retries.maxInterval().toNanos(), base << Math.min(failed, 20));
        return Math.max(1, (randomness.bits() >>> 1) % Math.max(1, limit));
    }
}
