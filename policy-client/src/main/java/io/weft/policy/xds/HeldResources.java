package io.weft.policy.xds;

import com.google.protobuf.ByteString;
import io.weft.policy.ClientStatus;
import io.weft.policy.ClientStatus.State;
import io.weft.policy.PolicyClientStatus.Refusal;
import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.parse.ResourceType;
import io.weft.policy.snapshot.SnapshotAssembler;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** What is held, asked for and refused of each type, put together when somebody asks. Confined to the event loop. */
final class HeldResources {
    /** Of {@code RouteConfiguration}. */
    private static final int VIRTUAL_HOSTS = 2;

    /** @param content empty: there is none, or it is nobody's business */
    record Held(ClientStatus.Resource status, ByteString content) {}

    private final SnapshotAssembler assembler;
    private final Intake intake;

    HeldResources(SnapshotAssembler assembler, Intake intake) {
        this.assembler = assembler;
        this.intake = intake;
    }

    /** In the order of the types and of the names. */
    List<Held> list() {
        List<Held> resources = new ArrayList<>();
        for (ResourceType type : ResourceType.values()) {
            Map<String, Accepted> held = new HashMap<>();
            assembler.held(type).forEach(accepted -> held.put(accepted.name(), accepted));
            Map<String, Refusal> refused = intake.refused(type);
            Set<String> names = new TreeSet<>(held.keySet());
            names.addAll(refused.keySet());
            if (!type.byPart()) {
                names.addAll(assembler.wanted(type));
            }
            Map<String, List<Accepted>> parts = type == ResourceType.ROUTES ? parts() : Map.of();
            for (String name : names) {
                resources.add(held(type, name, held.get(name), parts.getOrDefault(name, List.of()), refused.get(name)));
            }
        }
        return resources;
    }

    /** The virtual hosts that came by themselves, by the route configurations that they are of, in the order of their names. */
    private Map<String, List<Accepted>> parts() {
        Map<String, List<Accepted>> parts = new HashMap<>();
        assembler.held(ResourceType.VIRTUAL_HOSTS).stream()
                .sorted(Comparator.comparing(Accepted::name))
                .forEach(host -> parts.computeIfAbsent(ResourceType.VIRTUAL_HOSTS.askedFor(host.name()), table -> new ArrayList<>()).add(host));
        return parts;
    }

    /**
     * As an Envoy has it: with what came of it by itself, and by the version and the time of what came last.
     *
     * @param parts of a route configuration
     */
    private Held held(ResourceType type, String name, Accepted accepted, List<Accepted> parts, Refusal refusal) {
        State state = refusal != null ? State.NACKED
                : assembler.isWithdrawn(type, name) ? State.DOES_NOT_EXIST
                : accepted != null ? State.ACKED : State.REQUESTED;
        Accepted last = accepted == null ? null : Stream.concat(Stream.of(accepted), parts.stream())
                .max(Comparator.comparing(Accepted::since, Comparator.nullsFirst(Comparator.naturalOrder())))
                .orElseThrow();
        ClientStatus.Resource status = new ClientStatus.Resource(
                type.typeUrl(), name, last == null ? "" : last.raw().version(),
                Optional.ofNullable(last == null ? null : last.since()), state, Optional.ofNullable(refusal));
        // A cluster may hold a key as well as a secret, and a listener those that tokens are signed with.
        boolean told = accepted != null && type != ResourceType.SECRET && !accepted.resource().holdsSecret();
        return new Held(status, told ? content(accepted, parts) : ByteString.EMPTY);
    }

    private static ByteString content(Accepted accepted, List<Accepted> parts) {
        ByteString own = accepted.raw().bytes();
        return parts.isEmpty() ? own : own.concat(ByteString.copyFrom(WireMessage.of(out -> {
            for (Accepted part : parts) {
                if (!part.resource().holdsSecret()) {
                    out.writeBytes(VIRTUAL_HOSTS, part.raw().bytes());
                }
            }
        })));
    }
}
