package io.weft.dataplane.dns;

import io.weft.dataplane.Faults;
import io.weft.dataplane.Randomness;
import io.weft.dataplane.Timers;
import io.weft.policy.model.Cluster.AddressFamily;
import io.weft.policy.model.Cluster.Resolution;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;

/**
 * What the names in a policy stand for: asked for again and again, off the request path. A name that is not known any more, or a name
 * service that does not answer, changes nothing: the last good addresses stay. Thread-safe.
 */
public final class Names {
    private static final int MAX_ADDRESSES = 1_000;
    private static final Comparator<InetAddress> IN_ORDER =
            Comparator.comparing(InetAddress::getAddress, Arrays::compareUnsigned);

    private final Timers timers;
    private final Randomness randomness;
    private final Faults faults;
    private final Runnable changed;
    // Guarded by this object's lock, as is all of an entry.
    private final Map<Name, Entry> followed = new HashMap<>();
    private NameLookup lookup;
    private Executor executor;

    /** A name and how it is resolved: two clusters that do that in the same way share it. */
    public record Name(String host, Resolution how) {}

    private static final class Entry {
        private boolean gone;
        /** Asked for once, whatever came of it. */
        private boolean known;
        /** Sorted: a name service gives the same addresses in ever another order. */
        private List<InetAddress> addresses = List.of();
        /** One of them, for as long as it is; null: there are none. */
        private InetAddress preferred;
        private int failures;
        /** Null while it is asked for. */
        private Timers.Timer next;
    }

    /** @param changed told, on any thread, when there is something new to know of a name, or of one for the first time */
    public Names(Timers timers, Randomness randomness, Faults faults, Runnable changed) {
        this.timers = timers;
        this.randomness = randomness;
        this.faults = faults;
        this.changed = changed;
    }

    /** Says who is asked, and on which threads; until then nobody is. To be said once. */
    public void by(NameLookup asked, Executor on) {
        List<Name> waiting;
        synchronized (this) {
            lookup = asked;
            executor = on;
            waiting = new ArrayList<>(followed.keySet());
        }
        waiting.forEach(this::ask);
    }

    /** From now on these and no others. */
    public void follow(Set<Name> names) {
        List<Name> fresh = new ArrayList<>();
        synchronized (this) {
            followed.entrySet().removeIf(entry -> !names.contains(entry.getKey()) && forget(entry.getValue()));
            for (Name name : names) {
                if (!followed.containsKey(name)) {
                    followed.put(name, new Entry());
                    fresh.add(name);
                }
            }
        }
        fresh.forEach(this::ask);
    }

    private static boolean forget(Entry entry) {
        entry.gone = true;
        if (entry.next != null) {
            entry.next.cancel();
        }
        return true;
    }

    /** Whether each of those followed was asked for at least once. */
    public synchronized boolean allKnown() {
        for (Entry entry : followed.values()) {
            if (!entry.known) {
                return false;
            }
        }
        return true;
    }

    /** All of them, always in the same order; empty: none is known. */
    public synchronized List<InetAddress> addresses(Name name) {
        Entry entry = followed.get(name);
        return entry == null ? List.of() : entry.addresses;
    }

    /** One of them, the same for as long as the name stands for it; empty: none is known. */
    public synchronized List<InetAddress> preferred(Name name) {
        Entry entry = followed.get(name);
        return entry == null || entry.preferred == null ? List.of() : List.of(entry.preferred);
    }

    private void ask(Name name) {
        Entry entry;
        Executor by;
        NameLookup whom;
        synchronized (this) {
            entry = followed.get(name);
            by = executor;
            whom = lookup;
            if (entry == null || by == null) {
                return;
            }
            entry.next = null;
        }
        by.execute(() -> {
            List<InetAddress> answer = List.of();
            try {
                answer = wanted(whom.lookup(name.host), name.how.family());
            } catch (UnknownHostException | RuntimeException e) {
                faults.fault("looking up '" + name.host + "', a name in a policy,", e);
            }
            if (answered(name, entry, answer)) {
                changed.run();
            }
        });
    }

    /** @return whether there is something new */
    private synchronized boolean answered(Name name, Entry entry, List<InetAddress> answer) {
        if (entry.gone) {
            return false;
        }
        boolean news = !entry.known;
        entry.known = true;
        if (answer.isEmpty()) {
            entry.failures++;
        } else {
            entry.failures = 0;
            List<InetAddress> sorted = answer.stream().sorted(IN_ORDER).distinct().toList();
            news |= !sorted.equals(entry.addresses);
            entry.addresses = sorted;
            if (!sorted.contains(entry.preferred)) {
                entry.preferred = answer.get(0);
            }
        }
        entry.next = timers.schedule(pauseNanos(name.how, entry.failures), () -> ask(name));
        return news;
    }

    /** After a failure fully jittered and growing, as Envoy's back-off; else the rate with its jitter. */
    private long pauseNanos(Resolution how, int failures) {
        if (failures == 0) {
            long jitter = how.jitter().toNanos();
            return how.refresh().toNanos() + (jitter == 0 ? 0 : (randomness.bits() >>> 1) % jitter);
        }
        long base = how.failureBase().toNanos();
        long longest = how.failureMax().toNanos();
        long most = base > longest >> Math.min(failures - 1, 20) ? longest : base << Math.min(failures - 1, 20);
        return how.backsOff() ? Math.max(base / 2, (randomness.bits() >>> 1) % Math.max(1, most)) : base;
    }

    private static List<InetAddress> wanted(InetAddress[] answer, AddressFamily family) {
        List<InetAddress> all = Arrays.asList(answer).subList(0, Math.min(answer.length, MAX_ADDRESSES));
        List<InetAddress> four = all.stream().filter(Inet4Address.class::isInstance).toList();
        List<InetAddress> six = all.stream().filter(Inet6Address.class::isInstance).toList();
        return switch (family) {
            case ALL -> all;
            case V4_ONLY -> four;
            case V6_ONLY -> six;
            case V4_PREFERRED -> four.isEmpty() ? six : four;
            case AUTO -> six.isEmpty() ? four : six;
        };
    }
}
