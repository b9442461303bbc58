package io.weft.policy.xds;

import com.google.protobuf.ByteString;
import io.weft.policy.ClientStatus;
import io.weft.policy.ClientStatus.State;
import io.weft.policy.PolicyClientStatus.Refusal;
import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.parse.ResourceType;
import io.weft.policy.snapshot.SnapshotAssembler;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** What is held, asked for and refused of each type, put together when somebody asks. Confined to the event loop. */
final class HeldResources {

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
            for (String name : names) {
                resources.add(held(type, name, held.get(name), refused.get(name)));
            }
        }
        return resources;
    }

    private Held held(ResourceType type, String name, Accepted accepted, Refusal refusal) {
        State state = refusal != null ? State.NACKED
                : assembler.isWithdrawn(type, name) ? State.DOES_NOT_EXIST
                : accepted != null ? State.ACKED : State.REQUESTED;
        ClientStatus.Resource status = new ClientStatus.Resource(
                type.typeUrl(), name, accepted == null ? "" : accepted.raw().version(),
                Optional.ofNullable(accepted == null ? null : accepted.since()), state, Optional.ofNullable(refusal));
        // A cluster may hold a key as well as a secret, and a listener those that tokens are signed with.
        boolean told = accepted != null && type != ResourceType.SECRET && !accepted.resource().holdsSecret();
        return new Held(status, told ? accepted.raw().bytes() : ByteString.EMPTY);
    }
}
