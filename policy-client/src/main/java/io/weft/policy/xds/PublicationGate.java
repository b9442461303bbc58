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

/**
 * Decides when a change is shown. Routes may arrive a moment before the clusters that they lead to, and a first policy may be
 * half a policy: a change waits until nothing that is wanted is missing, for a bounded time. What did not come within it is not
 * waited for again; there is no other "resource does not exist" timer. The first policy also waits for the name table, where there is one,
 * and for the certificate that this process gets for itself, where one is asked for, but as shortly as a later change: without the one some services
 * are not in the mesh, without the other none can be called, and without a policy none is in the mesh.
 *
 * <p>A listener or cluster that was in force before a certificate was asked for waits longer for it, as a cluster in Envoy does: it was open, and would be
 * closed. Nothing else waits with it. Confined to the event loop.
 */
final class PublicationGate {
    private final SnapshotAssembler assembler;
    private final ScheduledExecutorService loop;
    private final Duration firstWait;
    private final Duration laterWait;
    private final Duration certificateWait;
    private final Consumer<Optional<PolicySnapshot>> publish;

    private Set<String> givenUp = Set.of();
    private boolean opened;
    private final boolean hasNames;
    /** Whether it has begun to wait for what comes with the first policy, and waits for it no more. */
    private boolean waitsForRest;
    private boolean restGivenUp;
    private Future<?> deadline;
    private Future<?> certificateDeadline;

    /**
     * @param hasNames the control plane has a name table of its own
     * @param publish is given what is to be shown; nothing: what has come changes nothing of what is shown
     */
    PublicationGate(
            SnapshotAssembler assembler, boolean hasNames, ScheduledExecutorService loop, Environment environment,
            Consumer<Optional<PolicySnapshot>> publish) {
        this.assembler = assembler;
        this.hasNames = hasNames;
        this.loop = loop;
        this.firstWait = environment.firstSnapshotWait();
        this.laterWait = environment.laterSnapshotWait();
        this.certificateWait = environment.certificateWait();
        this.publish = publish;
    }

    /** A response has been taken in, or this process has got what it needs to show who it is. */
    void changed() {
        awaitCertificates();
        if (assembler.complete()) {
            givenUp = Set.of();
            if (opened || restGivenUp || hasRest()) {
                open();
            } else if (!waitsForRest) {
                waitsForRest = true;
                after(laterWait, this::giveUpRest);
            }
        } else if (opened && givenUp.containsAll(missing())) {
            open();
        } else if (deadline == null) {
            deadline = after(opened ? laterWait : firstWait, () -> {
                givenUp = missing();
                open();
            });
        }
    }

    /** Whether something that has come is not shown yet. */
    boolean holds() {
        return !opened || deadline != null || certificateDeadline != null;
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
        opened = true;
        if (deadline != null) {
            deadline.cancel(false);
            deadline = null;
        }
        publish.accept(assembler.assemble());
    }

    private void awaitCertificates() {
        Set<String> awaited = assembler.certificatesAwaited();
        if (awaited.isEmpty()) {
            if (certificateDeadline != null) {
                certificateDeadline.cancel(false);
                certificateDeadline = null;
            }
        } else if (certificateDeadline == null) {
            certificateDeadline = after(certificateWait, () -> {
                certificateDeadline = null;
                assembler.awaitNoMore(awaited);
                changed();
            });
        }
    }

    private Set<String> missing() {
        Set<String> missing = new HashSet<>();
        for (ResourceType type : ResourceType.values()) {
            Set<String> held = assembler.versions(type).keySet();
            for (String name : assembler.wanted(type)) {
                if (!held.contains(name)) {
                    missing.add(type.label() + ' ' + name);
                }
            }
        }
        return missing;
    }

    private Future<?> after(Duration wait, Runnable task) {
        return loop.schedule(task, wait.toNanos(), TimeUnit.NANOSECONDS);
    }
}
