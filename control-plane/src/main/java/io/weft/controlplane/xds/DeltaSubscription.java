package io.weft.controlplane.xds;

import io.envoyproxy.controlplane.cache.DeltaResponse;
import io.envoyproxy.controlplane.cache.DeltaWatch;
import io.envoyproxy.controlplane.cache.VersionedResource;
import io.envoyproxy.controlplane.cache.WatchCancelledException;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.weft.controlplane.xds.NodeStream.View;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Incremental. */
final class DeltaSubscription implements Subscription {

    /** The version of what does not exist, so that this is told once too. */
    private static final String ABSENT = "";

    private final Set<String> names = new HashSet<>();
    /** What the reader has, or has been told last, by name. */
    private final Map<String, String> told = new HashMap<>();
    /** What each response held that the reader has not answered yet, by nonce. */
    private final Map<String, Set<String>> unanswered = new HashMap<>();
    /**
     * What the reader said of the names that it refused and has not accepted since, the last refused last; a response with other ones does
     * not change that.
     */
    private final Map<String, String> refused = new LinkedHashMap<>();
    private Set<String> sending = Set.of();
    /** The reader has been told all of what is asked for of it; null: there may be something to tell. Most looks find that there is nothing. */
    private NodeConfig.Layers inStep;
    private boolean wildcard;
    /** There has been a response, or the reader had some from a stream before. */
    private boolean begun;
    private DeltaWatch watch;

    DeltaSubscription(ResourceType type, DeltaDiscoveryRequest first) {
        wildcard = type.wildcardByDefault() && first.getResourceNamesSubscribeCount() == 0;
        change(first);
        // A stream that follows a broken one says what it has; only the difference is sent.
        told.putAll(first.getInitialResourceVersionsMap());
        begun = !told.isEmpty();
    }

    void change(DeltaDiscoveryRequest request) {
        if (request.getResourceNamesSubscribeCount() + request.getResourceNamesUnsubscribeCount() > 0) {
            inStep = null;
        }
        for (String name : request.getResourceNamesUnsubscribeList()) {
            if (name.equals("*")) {
                wildcard = false;
                told.keySet().retainAll(names);
                refused.keySet().retainAll(names);
            } else {
                names.remove(name);
                told.remove(name);
                refused.remove(name);
            }
        }
        for (String name : request.getResourceNamesSubscribeList()) {
            if (name.equals("*")) {
                wildcard = true;
            } else {
                names.add(name);
                // Asked for again, it is sent again: a reader may have dropped it.
                told.remove(name);
            }
        }
    }

    void open(DeltaWatch opened) {
        watch = opened;
    }

    @Override
    public void respond(View view) throws WatchCancelledException {
        if (watch == null || view.isAllOf(inStep)) {
            return;
        }
        Map<String, VersionedResource<?>> changed = new LinkedHashMap<>();
        List<String> removed = new ArrayList<>();
        collect(view, changed, removed);
        inStep = view.all();
        // Who asks for all that there is waits for an answer, also where there is nothing.
        if (changed.isEmpty() && removed.isEmpty() && (begun || !wildcard)) {
            return;
        }
        begun = true;
        changed.forEach((name, resource) -> told.put(name, resource.version()));
        removed.forEach(name -> {
            if (names.contains(name)) {
                told.put(name, ABSENT);
            } else {
                told.remove(name);
            }
        });
        sending = new HashSet<>(changed.keySet());
        sending.addAll(removed);
        DeltaWatch answered = watch;
        watch = null;
        answered.respond(DeltaResponse.create(answered.request(), changed, removed, view.version()));
    }

    private void collect(View view, Map<String, VersionedResource<?>> changed, List<String> removed) {
        if (wildcard) {
            view.forEach(resource -> {
                if (!resource.version().equals(told.get(resource.name()))) {
                    changed.put(resource.name(), VersionedResource.create(resource.message(), resource.version()));
                }
            });
        } else {
            for (String name : names) {
                Versioned resource = view.get(name);
                if (resource != null && !resource.version().equals(told.get(name))) {
                    changed.put(name, VersionedResource.create(resource.message(), resource.version()));
                }
            }
        }
        told.forEach((name, version) -> {
            if (!version.equals(ABSENT) && view.get(name) == null) {
                removed.add(name);
            }
        });
        for (String name : names) {
            if (!told.containsKey(name) && view.get(name) == null) {
                removed.add(name);
            }
        }
    }

    @Override
    public boolean settled(View view) {
        if (watch == null) {
            return false;
        }
        if (view.isAllOf(inStep)) {
            return true;
        }
        Map<String, VersionedResource<?>> changed = new HashMap<>();
        List<String> removed = new ArrayList<>();
        collect(view, changed, removed);
        return changed.isEmpty() && removed.isEmpty();
    }

    @Override
    public void sent(String nonce) {
        unanswered.put(nonce, sending);
    }

    @Override
    public void answered(String nonce, Optional<String> refusal) {
        Set<String> answered = unanswered.remove(nonce);
        if (answered == null) {
            return;
        }
        refused.keySet().removeAll(answered);
        refusal.ifPresent(why -> answered.forEach(name -> refused.put(name, why)));
    }

    @Override
    public Optional<String> refusal() {
        return refused.values().stream().reduce((earlier, later) -> later);
    }

    @Override
    public boolean told(String name) {
        return told.containsKey(name);
    }
}
