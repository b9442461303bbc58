package io.weft.dataplane.jwt;

import io.weft.dataplane.Faults;
import io.weft.dataplane.Randomness;
import io.weft.dataplane.Timers;
import io.weft.policy.model.JwtAuthentication.FileKeys;
import io.weft.policy.model.JwtAuthentication.InlineKeys;
import io.weft.policy.model.JwtAuthentication.Keys;
import io.weft.policy.model.JwtAuthentication.RemoteKeys;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The key sets of all providers; a remote one is fetched once for all that name it. For one thread. */
public final class KeySets {
    private final KeyFetcher fetcher;
    private final Timers timers;
    private final Randomness randomness;
    private final Faults faults;
    /** For as long as a filter holds them. */
    private final Map<RemoteKeys, WeakReference<RemoteKeySource>> remote = new HashMap<>();
    /** Not fetched yet. */
    private final List<RemoteKeySource> fresh = new ArrayList<>();

    public KeySets(KeyFetcher fetcher, Timers timers, Randomness randomness, Faults faults) {
        this.fetcher = fetcher;
        this.timers = timers;
        this.randomness = randomness;
        this.faults = faults;
    }

    KeySource of(Keys keys) {
        if (keys instanceof RemoteKeys remoteKeys) {
            return remote(remoteKeys);
        }
        return new LocalKeySource(JsonWebKeys.parse(keys instanceof InlineKeys inline ? inline.jwks() : read((FileKeys) keys)));
    }

    private KeySource remote(RemoteKeys keys) {
        remote.values().removeIf(source -> source.get() == null);
        WeakReference<RemoteKeySource> known = remote.get(keys);
        RemoteKeySource source = known == null ? null : known.get();
        if (source == null) {
            source = new RemoteKeySource(keys, fetcher, timers, randomness);
            fresh.add(source);
            remote.put(keys, new WeakReference<>(source));
        }
        return source;
    }

    /** The policy that names them is in force, and with it the clusters that they are fetched from. */
    public void fetch() {
        fresh.forEach(RemoteKeySource::start);
        fresh.clear();
    }

    /** A file that cannot be read holds no keys: no token is good. */
    private String read(FileKeys keys) {
        try (InputStream file = new FileInputStream(keys.path())) {
            return new String(file.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            faults.fault("keys of JWT provider in " + keys.path(), e);
            return "";
        }
    }
}
