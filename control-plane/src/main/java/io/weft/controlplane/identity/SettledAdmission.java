package io.weft.controlplane.identity;

import io.grpc.Status;
import io.weft.controlplane.registry.ClientNode;
import io.weft.controlplane.token.Bearer;
import java.util.Optional;
import java.util.function.Function;

/**
 * Serves nobody of a mesh of which it is not known who is who: what it would be served says that everybody may call. Whoever has a policy
 * goes on with that, and comes back. Thread-safe.
 */
public final class SettledAdmission implements Admission {

    private final Admission admission;
    private final Function<String, Optional<String>> closed;

    /** @param closed why a mesh is; empty: it is not */
    public SettledAdmission(Admission admission, Function<String, Optional<String>> closed) {
        this.admission = admission;
        this.closed = closed;
    }

    @Override
    public ClientNode admit(Bearer bearer, ClientNode node) throws RefusedException {
        ClientNode admitted = admission.admit(bearer, node);
        refuseIfClosed(admitted.mesh());
        return admitted;
    }

    @Override
    public boolean demandsProofOfAll() {
        return admission.demandsProofOfAll();
    }

    @Override
    public void admitInPlaceOf(ClientNode holder, ClientNode node) throws RefusedException {
        admission.admitInPlaceOf(holder, node);
    }

    @Override
    public Proved proof(Bearer bearer, String why) throws RefusedException {
        Proved proved = admission.proof(bearer, why);
        refuseIfClosed(proved.mesh());
        return proved;
    }

    /** The reason names files of the control plane, and is for its log alone. */
    private void refuseIfClosed(String mesh) throws RefusedException {
        if (closed.apply(mesh).isPresent()) {
            throw new RefusedException(Status.UNAVAILABLE.withDescription(
                    "mesh " + mesh + " is closed, as its identities cannot be given; the control plane's log says why"));
        }
    }
}
