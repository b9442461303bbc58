package io.weft.controlplane.xds;

import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.envoyproxy.envoy.service.discovery.v3.Resource;
import io.weft.controlplane.xds.NodeConfig.Resources;
import io.weft.controlplane.xds.NodeStream.View;
import io.weft.controlplane.xds.Pushes.Sent;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Incremental. Nearly always a reader has all that there is for it, and there are thousands of readers and of resources: then only this
 * is kept of it, and what it is told next is what has changed for all of those who had the same.
 */
final class DeltaSubscription implements Subscription {

    /** The version of what does not exist, so that this is told once too. */
    private static final String ABSENT = "";

    private final ResourceType type;
    private final Responses responses;
    private final Set<String> names = new HashSet<>();
    /** The reader has been told all of what is asked for of it; null: what it has been told is in {@code told}. */
    private NodeConfig.Layers inStep;
    /** What the reader has, or has been told last, by name; empty while it is in step. */
    private Map<String, String> told = new HashMap<>();
    /** The response that the reader has not answered yet; empty: there is none. */
    private String unanswered = "";
    /** What that one holds. */
    private Set<String> holds = Set.of();
    private Sent underWay = Sent.NOTHING;
    private long nonces;
    /**
     * What the reader said of the names that it refused and has not accepted since, the last refused last; a response with other ones does
     * not change that.
     */
    private final Map<String, String> refused = new LinkedHashMap<>();
    private boolean wildcard;
    /** There has been a response, or the reader had some from a stream before. */
    private boolean begun;

    /** Where a stream's responses go. */
    interface Responses {

        Sent send(DeltaDiscoveryResponse response);

        /** There is an answer, or there will be none. */
        void answered(Sent response);
    }

    private record Changes(List<Versioned> changed, List<String> removed) {

        Changes() {
            this(new ArrayList<>(), new ArrayList<>());
        }

        boolean isEmpty() {
            return changed.isEmpty() && removed.isEmpty();
        }
    }

    DeltaSubscription(ResourceType type, DeltaDiscoveryRequest first, Responses responses) {
        this.type = type;
        this.responses = responses;
        wildcard = type.wildcardByDefault() && first.getResourceNamesSubscribeCount() == 0;
        change(first);
        // A stream that follows a broken one says what it has; only the difference is sent.
        told.putAll(first.getInitialResourceVersionsMap());
        begun = !told.isEmpty();
    }

    void change(DeltaDiscoveryRequest request) {
        if (request.getResourceNamesSubscribeCount() + request.getResourceNamesUnsubscribeCount() > 0) {
            spellOut();
        }
        for (String name : request.getResourceNamesUnsubscribeList()) {
            if (name.equals("*")) {
                wildcard = false;
                told.keySet().removeIf(each -> !names.contains(type.askedFor(each)));
                refused.keySet().removeIf(each -> !names.contains(type.askedFor(each)));
            } else {
                names.remove(name);
                forget(name, told);
                forget(name, refused);
            }
        }
        for (String name : request.getResourceNamesSubscribeList()) {
            if (name.equals("*")) {
                wildcard = true;
            } else {
                names.add(name);
                // Asked for again, it is sent again: a reader may have dropped it.
                forget(name, told);
            }
        }
    }

    /** How many are kept. */
    int names() {
        return names.size() + told.size();
    }

    private void forget(String name, Map<String, String> known) {
        if (type.byPart()) {
            known.keySet().removeIf(each -> type.askedFor(each).equals(name));
        } else {
            known.remove(name);
        }
    }

    private boolean isAskedFor(String name) {
        return wildcard || names.contains(type.askedFor(name));
    }

    /** From here on {@code told} says what the reader has been told. */
    private void spellOut() {
        if (inStep == null) {
            return;
        }
        NodeConfig.Layers known = inStep;
        inStep = null;
        known.forEach(resource -> {
            if (isAskedFor(resource.name())) {
                told.put(resource.name(), resource.version());
            }
        });
        missing(known).forEach(name -> told.put(name, ABSENT));
    }

    /** What is asked for and does not exist. */
    private Set<String> missing(Resources existing) {
        Set<String> missing = new HashSet<>(names);
        if (type.byPart()) {
            existing.forEach(resource -> missing.remove(type.askedFor(resource.name())));
        } else {
            missing.removeIf(name -> existing.get(name) != null);
        }
        return missing;
    }

    @Override
    public void respond(View view) {
        if (!unanswered.isEmpty() || view.isAllOf(inStep)) {
            return;
        }
        Changes changes = changes(view);
        // Who asks for all that there is waits for an answer, also where there is nothing.
        boolean tells = !changes.isEmpty() || !begun && wildcard;
        if (view.all() != null) {
            inStep = view.all();
            told = new HashMap<>();
        } else {
            spellOut();
            changes.changed().forEach(resource -> told.put(resource.name(), resource.version()));
            changes.removed().forEach(name -> {
                if (names.contains(name)) {
                    told.put(name, ABSENT);
                } else {
                    told.remove(name);
                }
            });
        }
        if (tells) {
            begun = true;
            send(changes, view.version());
        }
    }

    private void send(Changes changes, String version) {
        DeltaDiscoveryResponse.Builder response = DeltaDiscoveryResponse.newBuilder()
                .setTypeUrl(type.typeUrl())
                .setSystemVersionInfo(version)
                .addAllRemovedResources(changes.removed());
        holds = new HashSet<>(changes.removed());
        for (Versioned resource : changes.changed()) {
            holds.add(resource.name());
            response.addResources(Resource.newBuilder()
                    .setName(resource.name())
                    .setVersion(resource.version())
                    .setResource(resource.message()));
        }
        unanswered = Long.toString(++nonces);
        underWay = responses.send(response.setNonce(unanswered).build());
    }

    private Changes changes(View view) {
        NodeConfig.Layers all = view.all();
        return inStep != null && all != null ? since(inStep, all) : sinceTold(view);
    }

    /** Most readers are told the same, and the tables that they share know what that is. */
    private Changes since(NodeConfig.Layers known, NodeConfig.Layers now) {
        Changes changes = new Changes();
        Set<String> seen = new HashSet<>();
        for (Table.Difference difference : List.of(now.shared().since(known.shared()), now.own().since(known.own()))) {
            difference.changed().forEach(resource -> since(resource.name(), known, now, seen, changes));
            difference.removed().forEach(name -> since(name, known, now, seen, changes));
        }
        return changes;
    }

    /** It may be in both tables, or have gone from one to the other. */
    private void since(String name, NodeConfig.Layers known, NodeConfig.Layers now, Set<String> seen, Changes changes) {
        if (!isAskedFor(name) || !seen.add(name)) {
            return;
        }
        Versioned before = known.get(name);
        Versioned after = now.get(name);
        if (after == null) {
            changes.removed().add(name);
        } else if (before == null || !before.version().equals(after.version())) {
            changes.changed().add(after);
        }
    }

    private Changes sinceTold(View view) {
        spellOut();
        Changes changes = new Changes();
        if (wildcard || type.byPart()) {
            view.forEach(resource -> add(resource, changes));
        } else {
            for (String name : names) {
                Versioned resource = view.get(name);
                if (resource != null) {
                    add(resource, changes);
                }
            }
        }
        told.forEach((name, version) -> {
            if (!version.equals(ABSENT) && view.get(name) == null) {
                changes.removed().add(name);
            }
        });
        for (String name : missing(view)) {
            if (!told.containsKey(name)) {
                changes.removed().add(name);
            }
        }
        return changes;
    }

    private void add(Versioned resource, Changes changes) {
        if (isAskedFor(resource.name()) && !resource.version().equals(told.get(resource.name()))) {
            changes.changed().add(resource);
        }
    }

    @Override
    public boolean settled(View view) {
        return unanswered.isEmpty() && (view.isAllOf(inStep) || changes(view).isEmpty());
    }

    @Override
    public void answered(String nonce, Optional<String> refusal) {
        if (!nonce.equals(unanswered)) {
            return;
        }
        unanswered = "";
        refused.keySet().removeAll(holds);
        refusal.ifPresent(why -> holds.forEach(name -> refused.put(name, why)));
        holds = Set.of();
        end();
    }

    @Override
    public void end() {
        responses.answered(underWay);
        underWay = Sent.NOTHING;
    }

    @Override
    public Optional<String> refusal() {
        return refused.values().stream().reduce((earlier, later) -> later);
    }

    @Override
    public boolean told(String name) {
        return inStep == null ? told.containsKey(name) : isAskedFor(name);
    }
}
