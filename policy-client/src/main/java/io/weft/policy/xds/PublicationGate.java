package io.weft.policy.xds;

import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.parse.ResourceType;
import io.weft.policy.snapshot.SnapshotAssembler;
import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Decides when a change is shown. Routes may arrive a moment before the clusters that they lead to, a first policy may be half a
 * policy, and what is secured is closed without its certificate: a change waits until nothing that is wanted is missing, for a bounded
 * time. What did not come within it is not waited for again; there is no other "resource does not exist" timer.
 *
 * <p>A change waits longer for certificates than for anything else, as a cluster in Envoy does: what they secure was open before, or not
 * there, and nobody could be called. The first policy waits for the certificate that this process gets for itself, and for the name
 * table, where there is one, but as shortly as a change does for resources: without the one some services are not in the mesh, without the
 * other none can be called, and without a policy none is in the mesh. Confined to the event loop.
 */
final class PublicationGate {
    private static final String OWN_CERTIFICATE = "the certificate of this process";

    private final SnapshotAssembler assembler;
    private final ScheduledExecutorService loop;
    private final Duration firstWait;
    private final Duration restWait;
    private final Consumer<PolicySnapshot> publish;
    private final Wait resources;
    private final Wait certificates;

    private boolean opened;
    private final boolean hasNames;
    /** Whether it has begun to wait for what comes with the first policy, and waits for it no more. */
    private boolean waitsForRest;
    private boolean restGivenUp;
    private Future<?> firstDeadline;
    private boolean holds = true;

    /** @param hasNames the control plane has a name table of its own */
    PublicationGate(
            SnapshotAssembler assembler, boolean hasNames, ScheduledExecutorService loop, Environment environment,
            Consumer<PolicySnapshot> publish) {
        this.assembler = assembler;
        this.hasNames = hasNames;
        this.loop = loop;
        this.firstWait = environment.firstSnapshotWait();
        this.restWait = environment.laterSnapshotWait();
        this.publish = publish;
        this.resources = new Wait(this::missingResources, environment.laterSnapshotWait());
        this.certificates = new Wait(this::missingCertificates, environment.certificateWait());
    }

    /** A response has been taken in, or this process has got what it needs to show who it is. */
    void changed() {
        if (opened) {
            // Both begin to wait.
            holds = !resources.isOver() | !certificates.isOver();
            if (!holds) {
                show();
            }
        } else if (!assembler.complete()) {
            if (firstDeadline == null) {
                firstDeadline = after(firstWait, this::open);
            }
        } else if (restGivenUp || hasRest()) {
            open();
        } else if (!waitsForRest) {
            waitsForRest = true;
            after(restWait, this::giveUpRest);
        }
    }

    /** Whether something that has come is not shown yet. */
    boolean holds() {
        return holds;
    }

    private boolean hasRest() {
        return (!hasNames || assembler.hasAnswered(ResourceType.NAMES)) && !assembler.lacksProvided();
    }

    private void giveUpRest() {
        restGivenUp = true;
        if (!opened) {
            changed();
        }
    }

    private void open() {
        if (opened) {
            return;
        }
        opened = true;
        if (firstDeadline != null) {
            firstDeadline.cancel(false);
        }
        resources.giveUp();
        certificates.giveUp();
        holds = false;
        show();
    }

    private void show() {
        Optional<PolicySnapshot> snapshot = assembler.assemble();
        snapshot.ifPresent(publish);
    }

    private Set<String> missingResources() {
        if (assembler.complete()) {
            return Set.of();
        }
        Set<String> missing = new HashSet<>();
        for (ResourceType type : ResourceType.values()) {
            if (type != ResourceType.SECRET) {
                addMissing(type, missing);
            }
        }
        return missing;
    }

    private Set<String> missingCertificates() {
        if (assembler.complete() && !assembler.lacksProvided()) {
            return Set.of();
        }
        Set<String> missing = new HashSet<>();
        addMissing(ResourceType.SECRET, missing);
        if (assembler.lacksProvided()) {
            missing.add(OWN_CERTIFICATE);
        }
        return missing;
    }

    private void addMissing(ResourceType type, Set<String> missing) {
        Set<String> held = assembler.versions(type).keySet();
        for (String name : assembler.wanted(type)) {
            if (!held.contains(name)) {
                missing.add(type.label() + ' ' + name);
            }
        }
    }

    private Future<?> after(Duration wait, Runnable task) {
        return loop.schedule(task, wait.toNanos(), TimeUnit.NANOSECONDS);
    }

    /** For what a change names, and has not come. */
    private final class Wait {
        private final Supplier<Set<String>> missing;
        private final Duration patience;
        private Set<String> givenUp = Set.of();
        private Future<?> deadline;

        Wait(Supplier<Set<String>> missing, Duration patience) {
            this.missing = missing;
            this.patience = patience;
        }

        /** Begins with the first call since there was nothing to wait for. */
        boolean isOver() {
            Set<String> now = missing.get();
            if (now.isEmpty()) {
                givenUp = Set.of();
                if (deadline != null) {
                    deadline.cancel(false);
                    deadline = null;
                }
                return true;
            }
            if (givenUp.containsAll(now)) {
                return true;
            }
            if (deadline == null) {
                deadline = after(patience, () -> {
                    deadline = null;
                    giveUp();
                    changed();
                });
            }
            return false;
        }

        void giveUp() {
            givenUp = missing.get();
        }
    }
}
