package io.weft.controlplane.xds;

import io.weft.controlplane.service.Service;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * The endpoints of one mesh as they were made last, so that a change of one service costs what that one costs: there are tens of
 * thousands of them in a mesh, and nearly every change is one of a few. For one thread.
 */
public final class MadeEndpoints {

    private final Map<Object, Made> last = new HashMap<>();
    private final Map<Object, Made> now = new HashMap<>();

    private record Made(List<Service.Instance> instances, Versioned resource) {}

    /** What was not asked for since the last time is forgotten. */
    void begin() {
        last.clear();
        last.putAll(now);
        now.clear();
    }

    /** @param key what decides, beside the instances, how they are told of */
    Versioned of(Object key, List<Service.Instance> instances, Supplier<Versioned> make) {
        Made made = now.get(key);
        if (made == null) {
            Made before = last.get(key);
            made = before != null && before.instances.equals(instances) ? before : new Made(instances, make.get());
            now.put(key, made);
        }
        return made.resource;
    }
}
