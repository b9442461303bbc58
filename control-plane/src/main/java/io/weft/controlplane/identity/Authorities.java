package io.weft.controlplane.identity;

import io.weft.controlplane.ca.Authority;
import io.weft.controlplane.ca.RootSet;
import io.weft.controlplane.ca.RootStore;
import io.weft.controlplane.ca.SuppliedRoot;
import io.weft.controlplane.policy.CaSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The authorities of all meshes, each read from its files again only when these have changed. Thread-safe. */
public final class Authorities {

    private static final Logger LOG = LoggerFactory.getLogger(Authorities.class);

    private final Roots made;
    private final Clock clock;
    private final Map<Key, Known> known = new HashMap<>();
    /** Why what was read last goes on. */
    private final Map<Key, String> failures = new HashMap<>();

    private record Key(String mesh, CaSource source) {}

    /** @param leafLifetime with which it was read */
    private record Known(Authority authority, Object stamp, Duration leafLifetime) {}

    /** Where the roots of a mesh are that are made here. */
    @FunctionalInterface
    public interface Roots {
        RootStore of(String mesh) throws IOException;
    }

    public Authorities(Roots made, Clock clock) {
        this.made = made;
        this.clock = clock;
    }

    /**
     * @param leafLifetime the longest that any leaf of the mesh has
     * @return what was read last if its files cannot be used any more: the mesh goes on, and its other policies can still be changed
     * @throws IOException its files cannot be used and never could; the message names them
     */
    public synchronized Authority of(String mesh, CaSource source, Duration leafLifetime) throws IOException {
        Key key = new Key(mesh, source);
        Known last = known.get(key);
        boolean due = last == null || !clock.instant().isBefore(due(key, last));
        if (!due && last.leafLifetime.equals(leafLifetime) && isAsRead(key, last)) {
            return last.authority;
        }
        try {
            // Before it is read: what is written meanwhile is then read again.
            Object stamp = stamp(key);
            Authority authority = read(key, Optional.ofNullable(last).map(Known::authority), leafLifetime);
            known.put(key, new Known(authority, stamp, leafLifetime));
            failures.remove(key);
            return authority;
        } catch (IOException e) {
            if (last == null) {
                // Its own message is the file's name alone.
                throw e instanceof NoSuchFileException ? new IOException(e.getMessage() + " is not there", e) : e;
            }
            if (!e.getMessage().equals(failures.put(key, e.getMessage()))) {
                LOG.error("the CA of mesh {} goes on as it was read last: {}", mesh, e.getMessage());
            }
            return last.authority;
        }
    }

    private Authority read(Key key, Optional<Authority> last, Duration leafLifetime) throws IOException {
        RootSet roots;
        if (key.source instanceof CaSource.Files files) {
            roots = new SuppliedRoot(files.certificate(), files.key()).read(clock.instant());
        } else {
            RootStore store = made.of(key.mesh);
            if (last.isPresent() && store.stamp().isEmpty()) {
                // To make another one would leave everybody with a certificate that nobody believes.
                throw new IOException(store + " is gone; restore it, or restart this control plane to have a new root made");
            }
            roots = store.at(clock.instant(), leafLifetime);
        }
        return last.filter(authority -> authority.roots().equals(roots)).orElseGet(() -> new Authority(roots, clock));
    }

    /** Whether a file is not what was read any more, or a rotation can go on. */
    public synchronized boolean changed() {
        return known.entrySet().stream().anyMatch(entry -> !isAsRead(entry.getKey(), entry.getValue())
                || !clock.instant().isBefore(due(entry.getKey(), entry.getValue())));
    }

    private boolean isAsRead(Key key, Known known) {
        try {
            return known.stamp.equals(stamp(key));
        } catch (IOException e) {
            // Reading it will tell why.
            return false;
        }
    }

    /** When a rotation goes on by itself. */
    public synchronized Optional<Instant> due() {
        List<Instant> moments = new ArrayList<>();
        known.forEach((key, each) -> moments.add(due(key, each)));
        return moments.stream().filter(moment -> !moment.equals(Instant.MAX)).min(Instant::compareTo);
    }

    /** {@link Instant#MAX}: never. */
    private static Instant due(Key key, Known known) {
        RootSet roots = known.authority.roots();
        return key.source instanceof CaSource.Files ? Instant.MAX : roots.due();
    }

    private Object stamp(Key key) throws IOException {
        if (key.source instanceof CaSource.Files files) {
            return List.of(
                    Files.getLastModifiedTime(files.certificate()), Files.size(files.certificate()),
                    Files.getLastModifiedTime(files.key()), Files.size(files.key()));
        }
        return made.of(key.mesh).stamp();
    }
}
