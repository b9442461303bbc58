package io.weft.controlplane.xds;

import io.weft.controlplane.identity.MeshSecurity;
import io.weft.controlplane.policy.AppliedPolicies;
import java.util.HashMap;
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
