package io.weft.controlplane.kubernetes;

import io.grpc.Status;
import io.weft.controlplane.identity.Admission;
import io.weft.controlplane.policy.Dataplane;
import io.weft.controlplane.policy.Labels;
import io.weft.controlplane.registry.ClientNode;
import io.weft.controlplane.token.Bearer;
import io.weft.controlplane.token.PodToken;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Whoever has the token of a pod is that pod and no other, for as long as the pod is there. What it says of itself counts for nothing
 * that the cluster knows better; which ports its app has bound it alone knows. Thread-safe.
 */
final class PodAdmission implements Admission {

    private final ClusterState state;

    PodAdmission(ClusterState state) {
        this.state = state;
    }

    @Override
    public ClientNode admit(Bearer bearer, ClientNode node) throws RefusedException {
        ClusterPod pod = pod(bearer, "in a cluster nobody is served without a token");
        if (!node.mesh().equals(pod.facts().mesh())) {
            throw new RefusedException(Status.PERMISSION_DENIED.withDescription(pod.facts().name() + " is of mesh " + pod.facts().mesh()
                    + ", not of mesh " + node.mesh() + ": set the label " + Labels.MESH + " of the pod, or WEFT_MESH of the agent"));
        }
        Map<String, String> tags = pod.tags();
        Optional<Dataplane> described = Optional.empty();
        if (node.dataplane().isPresent()) {
            Dataplane dataplane = node.dataplane().get();
            for (Dataplane.Inbound inbound : dataplane.inbounds()) {
                if (!pod.facts().addresses().contains(inbound.address())) {
                    throw new RefusedException(Status.PERMISSION_DENIED.withDescription(pod.facts().name() + " has the addresses "
                            + pod.facts().addresses() + ", and cannot be reached at " + inbound.address()
                            + ": leave WEFT_ADDRESS unset"));
                }
            }
            List<Dataplane.Inbound> inbounds = dataplane.inbounds().stream().map(inbound -> inbound(inbound, tags, pod.facts())).toList();
            described = Optional.of(new Dataplane(pod.metadata(), dataplane.address(), inbounds));
        }
        return node.as(pod.metadata(), described, new ClientNode.Pod(pod.workload(), tags));
    }

    @Override
    public boolean demandsProofOfAll() {
        return true;
    }

    private static Dataplane.Inbound inbound(Dataplane.Inbound said, Map<String, String> tags, Facts.OfPod pod) {
        Map<String, String> known = new HashMap<>(tags);
        said.protocol().ifPresent(protocol -> known.putIfAbsent(Labels.PROTOCOL, said.tags().getOrDefault(Labels.PROTOCOL, "http")));
        Set<String> healthPaths = new HashSet<>(said.healthPaths());
        healthPaths.addAll(pod.healthPaths().getOrDefault(said.port(), Set.of()));
        return new Dataplane.Inbound(said.port(), said.address(), said.name(), said.servicePort(), said.serviceAddress(), said.ready(),
                known, said.protocol(), healthPaths);
    }

    @Override
    public void admitInPlaceOf(ClientNode holder, ClientNode node) throws RefusedException {
        if (!holder.metadata().id().equals(node.metadata().id())) {
            throw new RefusedException(Status.PERMISSION_DENIED.withDescription("the id " + node.id() + " belongs to pod "
                    + holder.metadata().id().name() + "; choose another one for " + node.metadata().id().name()));
        }
    }

    @Override
    public Proved proof(Bearer bearer, String why) throws RefusedException {
        ClusterPod pod = pod(bearer, why);
        return new Proved(pod.facts().mesh(), pod.workload());
    }

    private ClusterPod pod(Bearer bearer, String why) throws RefusedException {
        PodToken token = bearer.proof()
                .filter(PodToken.class::isInstance)
                .map(PodToken.class::cast)
                .orElseThrow(() -> new RefusedException(
                        Status.UNAUTHENTICATED.withDescription(why + ": " + bearer.complaint())));
        ObjectName name = new ObjectName(token.namespace(), token.pod());
        Facts.OfPod pod = state.pod(name)
                // The pod may be newer than what has come of it.
                .orElseThrow(() -> new RefusedException(Status.UNAVAILABLE.withDescription(
                        "pod " + name + " is not known here, or not yet; try again")));
        if (!pod.uid().equals(token.uid()) || !pod.serviceAccount().equals(token.serviceAccount())) {
            throw new RefusedException(Status.UNAUTHENTICATED.withDescription("the token is of an earlier pod " + name));
        }
        return new ClusterPod(pod, state.zone(pod));
    }
}
