package io.weft.policy.xds;

import io.weft.policy.PolicyClientStatus.Refusal;
import io.weft.policy.model.PartialRoutes;
import io.weft.policy.parse.ParseOutcome;
import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.parse.ParseOutcome.Refused;
import io.weft.policy.parse.ResourceType;
import io.weft.policy.snapshot.SnapshotAssembler;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Takes parsed responses into the assembler and keeps what the status tells about them. Confined to the event loop. */
final class Intake {
    private static final int MAX_NACK_CHARS = 4096;
    private static final int MAX_UNASKED = 16;

    private final SnapshotAssembler assembler;
    private final Set<String> providers;
    private final Clock clock;
    private final Map<ResourceType, Map<String, Refusal>> refused = new EnumMap<>(ResourceType.class);
    private final Map<ResourceType, String> versions = new EnumMap<>(ResourceType.class);
    private final Map<String, Refusal> unasked = new LinkedHashMap<>();
    private String controlPlane = "";
    private Optional<Instant> lastResponse = Optional.empty();

    /** @param providers of certificates that a policy may name; empty: any name will do */
    Intake(SnapshotAssembler assembler, Set<String> providers, Clock clock) {
        this.assembler = assembler;
        this.providers = providers;
        this.clock = clock;
        for (ResourceType type : ResourceType.values()) {
            refused.put(type, new LinkedHashMap<>());
        }
    }

    /** A response came, whatever is in it. */
    void responded(String controlPlaneIdentifier) {
        lastResponse = Optional.of(clock.instant());
        if (!controlPlaneIdentifier.isEmpty()) {
            controlPlane = controlPlaneIdentifier;
        }
    }

    void unasked(String typeUrl) {
        if (unasked.size() < MAX_UNASKED) {
            unasked.putIfAbsent(typeUrl, new Refusal(
                    typeUrl, "", "sent without having been asked for; ignored", clock.instant()));
        }
    }

    /** @return what to say in the NACK; empty: all of it was accepted */
    Optional<String> stateOfTheWorld(ResourceType type, String version, List<ParseOutcome> parsed) {
        List<ParseOutcome> outcomes = new ArrayList<>();
        taken(parsed).forEach(outcome -> outcomes.add(withoutParts(outcome)));
        assembler.stateOfTheWorld(type, outcomes);
        refused.get(type).clear();
        return record(type, version, outcomes);
    }

    /** @return what to say in the NACK; empty: all of it was accepted */
    Optional<String> delta(ResourceType type, String version, List<ParseOutcome> parsed, Collection<String> removed) {
        List<ParseOutcome> outcomes = taken(parsed);
        assembler.delta(type, outcomes, removed);
        refused.get(type).keySet().removeAll(new HashSet<>(removed));
        // A resource without a name cannot be told from one that has been replaced by a good version since.
        refused.get(type).remove("");
        return record(type, version, outcomes);
    }

    /** What is refused now, by name. */
    Map<String, Refusal> refused(ResourceType type) {
        return refused.get(type);
    }

    /** The names to be subscribed to now. */
    Set<String> wanted(ResourceType type) {
        return assembler.wanted(type);
    }

    /** Versions by name of what is held. */
    Map<String, String> held(ResourceType type) {
        return assembler.versions(type);
    }

    String controlPlane() {
        return controlPlane;
    }

    Optional<Instant> lastResponse() {
        return lastResponse;
    }

    Map<String, String> versions() {
        Map<String, String> byLabel = new LinkedHashMap<>();
        versions.forEach((type, version) -> byLabel.put(type.label(), version));
        return byLabel;
    }

    List<Refusal> refusals() {
        List<Refusal> all = new ArrayList<>(unasked.values());
        refused.values().forEach(ofType -> all.addAll(ofType.values()));
        return all;
    }

    private List<ParseOutcome> taken(List<ParseOutcome> parsed) {
        Instant now = clock.instant();
        List<ParseOutcome> outcomes = new ArrayList<>(parsed.size());
        for (ParseOutcome outcome : parsed) {
            outcomes.add(outcome instanceof Accepted accepted ? withKnownProviders(accepted.at(now)) : outcome);
        }
        return outcomes;
    }

    /** As gRFC A29 has it, a resource that names a certificate provider which is not there is refused. */
    private ParseOutcome withKnownProviders(Accepted accepted) {
        if (providers.isEmpty()) {
            return accepted;
        }
        Set<String> unknown = new TreeSet<>(SnapshotAssembler.providers(accepted.resource()));
        unknown.removeAll(providers);
        return unknown.isEmpty()
                ? accepted
                : new Refused(accepted.type(), accepted.name(),
                        accepted.type() == ResourceType.LISTENER ? "filter_chains.transport_socket" : "transport_socket",
                        "names the certificate providers " + unknown + "; this process has " + new TreeSet<>(providers));
    }

    private static ParseOutcome withoutParts(ParseOutcome outcome) {
        return outcome instanceof Accepted accepted && accepted.resource() instanceof PartialRoutes
                ? new Refused(accepted.type(), accepted.name(), "vhds",
                        "needs incremental xDS; send the virtual hosts in the route configuration")
                : outcome;
    }

    private Optional<String> record(ResourceType type, String version, List<ParseOutcome> outcomes) {
        Map<String, Refusal> ofType = refused.get(type);
        if (!type.wildcard()) {
            Set<String> wanted = assembler.wanted(type);
            ofType.keySet().removeIf(name -> !name.isEmpty() && !wanted.contains(type.askedFor(name)));
        }
        List<Refused> now = new ArrayList<>();
        for (ParseOutcome outcome : outcomes) {
            if (outcome instanceof Refused refusal) {
                now.add(refusal);
                ofType.put(refusal.name(), new Refusal(
                        (type.label() + " " + refusal.name()).strip(), refusal.path(), refusal.reason(), clock.instant()));
            } else {
                ofType.remove(outcome.name());
            }
        }
        if (now.isEmpty()) {
            versions.put(type, version);
            return Optional.empty();
        }
        return Optional.of(nack(now));
    }

    private static String nack(List<Refused> refused) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < refused.size(); i++) {
            String message = refused.get(i).message();
            if (i > 0 && text.length() + message.length() > MAX_NACK_CHARS) {
                return text.append("; and ").append(refused.size() - i).append(" more").toString();
            }
            text.append(i == 0 ? "" : "; ").append(message, 0, Math.min(message.length(), MAX_NACK_CHARS));
        }
        return text.toString();
    }
}
