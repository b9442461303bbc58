package io.weft.controlplane.xds;

import io.weft.controlplane.identity.MeshSecurity;
import io.weft.controlplane.policy.AppliedPolicies;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * The resources of one mesh as they were made last, so that a change costs what it changes: there are tens of thousands of endpoints in a
 * mesh and thousands of data planes, and nearly every change is one of a few endpoints, or one route. For one thread.
 */
public final class MadeResources {

    private Map<Object, Made> last = new HashMap<>();
    private Map<Object, Made> now = new HashMap<>();
    /** Of what policies decide beside what is in the key. */
    private Map<Object, Made> lastOfPolicies = new HashMap<>();
    private Map<Object, Made> nowOfPolicies = new HashMap<>();
    private AppliedPolicies policies;
    private MeshSecurity security;
    private Object epoch = new Object();
    private Object epochOfRoutes = "";

    private record Made(Object from, Object resource) {}

    /** What was not asked for since the last time is forgotten. */
    void begin(AppliedPolicies nextPolicies, MeshSecurity nextSecurity) {
        Map<Object, Made> forgotten = last;
        last = now;
        now = forgotten;
        now.clear();
        Map<Object, Made> forgottenOfPolicies = lastOfPolicies;
        lastOfPolicies = nowOfPolicies;
        nowOfPolicies = forgottenOfPolicies;
        nowOfPolicies.clear();
        if (nextSecurity != security || policies == null || !nextPolicies.sameButForRoutes(policies)) {
            lastOfPolicies.clear();
            epoch = new Object();
        }
        policies = nextPolicies;
        security = nextSecurity;
    }

    /**
     * What no policy decides, nor who is who, but for what of it is in the key.
     *
     * @param key what decides, beside {@code from}, how it is made; asked for again before the next {@link #begin}, it comes from the same
     */
    <T> T of(Object key, Object from, Supplier<T> make) {
        return of(last, now, key, from, make);
    }

    /** What policies other than routes decide, or who is who. */
    <T> T ofPolicies(Object key, Object from, Supplier<T> make) {
        return of(lastOfPolicies, nowOfPolicies, key, from, make);
    }

    /** Changes when policies other than routes do, or who is who, or what such policies say of routes. */
    Object epoch(Object ofRoutes) {
        if (!ofRoutes.equals(epochOfRoutes)) {
            epochOfRoutes = ofRoutes;
            epoch = new Object();
        }
        return epoch;
    }

    /** Many things of one kind. Only those that were kept are there the next time. */
    @SuppressWarnings("unchecked") // whoever makes a key knows what is made for it
    <F, T> Each<F, T> each(Object key) {
        Made made = now.get(key);
        if (made == null) {
            Made before = last.get(key);
            made = new Made("", new Each<F, T>(before == null ? Map.of() : ((Each<F, T>) before.resource).now));
            now.put(key, made);
        }
        return (Each<F, T>) made.resource;
    }

    /** By the object itself that each is made from: to look for them by what is in it would cost as much as to make them. */
    static final class Each<F, T> {
        private final Map<F, T> last;
        private final Map<F, T> now = new IdentityHashMap<>();

        private Each(Map<F, T> last) {
            this.last = last;
        }

        /** Null: there is none. */
        T get(F from) {
            T kept = now.get(from);
            return kept == null ? last.get(from) : kept;
        }

        void keep(F from, T thing) {
            now.put(from, thing);
        }
    }

    @SuppressWarnings("unchecked") // whoever makes a key knows what is made for it
    private static <T> T of(Map<Object, Made> last, Map<Object, Made> now, Object key, Object from, Supplier<T> make) {
        Made made = now.get(key);
        if (made == null) {
            Made before = last.get(key);
            made = before != null && before.from.equals(from) ? before : new Made(from, make.get());
            now.put(key, made);
        }
        return (T) made.resource;
    }
}
