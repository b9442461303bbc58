package io.weft.controlplane.identity;

import io.weft.controlplane.ca.Authority;
import io.weft.controlplane.ca.RootFile;
import io.weft.controlplane.ca.RootSet;
import io.weft.controlplane.ca.SuppliedRoot;
import io.weft.controlplane.policy.CaSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** The authorities of all meshes, each read from its files again only when these have changed. Thread-safe. */
public final class Authorities {

    private final Path state;
    private final Clock clock;
    private final Map<Key, Known> known = new HashMap<>();

    private record Key(String mesh, CaSource source) {}

    /** @param leafLifetime with which it was read */
    private record Known(Authority authority, Object stamp, Duration leafLifetime) {}

    /** @param state the control plane's folder */
    public Authorities(Path state, Clock clock) {
        this.state = state;
        this.clock = clock;
    }

    /**
     * @param leafLifetime the longest that any leaf of the mesh has
     * @throws IOException its files cannot be used; the message names them
     */
    public synchronized Authority of(String mesh, CaSource source, Duration leafLifetime) throws IOException {
        Key key = new Key(mesh, source);
        Known last = known.get(key);
        boolean due = last == null || last.authority.roots().due().map(moment -> !clock.instant().isBefore(moment)).orElse(false);
        if (!due && last.leafLifetime.equals(leafLifetime) && last.stamp.equals(stamp(key))) {
            return last.authority;
        }
        RootSet roots = source instanceof CaSource.Files files
                ? new SuppliedRoot(files.certificate(), files.key()).read(clock.instant())
                : new RootFile(state, mesh).at(clock.instant(), leafLifetime);
        Authority authority = last != null && last.authority.roots().equals(roots) ? last.authority : new Authority(roots, clock);
        known.put(key, new Known(authority, stamp(key), leafLifetime));
        return authority;
    }

    /** Whether a file is not what was read any more. */
    public synchronized boolean changed() {
        return known.entrySet().stream().anyMatch(entry -> {
            try {
                return !Objects.equals(entry.getValue().stamp, stamp(entry.getKey()));
            } catch (IOException e) {
                // Reading it will tell why.
                return true;
            }
        });
    }

    /** When a rotation goes on by itself. */
    public synchronized Optional<Instant> due() {
        List<Instant> moments = new ArrayList<>();
        known.values().forEach(each -> each.authority.roots().due().ifPresent(moments::add));
        return moments.stream().min(Instant::compareTo);
    }

    private Object stamp(Key key) throws IOException {
        if (key.source instanceof CaSource.Files files) {
            return List.of(
                    Files.getLastModifiedTime(files.certificate()), Files.size(files.certificate()),
                    Files.getLastModifiedTime(files.key()), Files.size(files.key()));
        }
        return new RootFile(state, key.mesh).stamp();
    }
}
