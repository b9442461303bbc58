package io.weft.controlplane.identity;

import io.envoyproxy.envoy.config.core.v3.Node;
import io.grpc.Status;
import io.weft.controlplane.registry.ClientNode;
import io.weft.controlplane.registry.NodeReader;
import io.weft.controlplane.token.Bearer;

/** Whether a data plane is who it says it is. Thread-safe, and never blocks. */
public interface Admission {

    /** It is not; the status is for its sender. */
    final class RefusedException extends Exception {
        private static final long serialVersionUID = 1;
        private final transient Status status;

        public RefusedException(Status status) {
            super(status.getDescription());
            this.status = status;
        }

        public Status status() {
            return status;
        }
    }

    /** What is proved. */
    record Proved(String mesh, Workload workload) {}

    /**
     * @return the data plane as it is known to be now
     * @throws RefusedException it is not, or does not prove it
     */
    ClientNode admit(Bearer bearer, ClientNode node) throws RefusedException;

    /** Whether nobody at all is taken at his word. */
    boolean demandsProofOfAll();

    /** Of whoever proves nothing where that is demanded of all not so much as the description is read. */
    default ClientNode admit(Bearer bearer, Node sent, NodeReader nodes) throws RefusedException, NodeReader.InvalidNodeException {
        if (bearer.proof().isEmpty() && demandsProofOfAll()) {
            admit(bearer, nodes.readUndescribed(sent));
        }
        return admit(bearer, nodes.read(sent));
    }

    /** @throws RefusedException somebody else has this id, so that whoever took it over could take that one out of the mesh */
    void admitInPlaceOf(ClientNode holder, ClientNode node) throws RefusedException;

    /**
     * Who asks for a certificate, for which proof is always demanded.
     *
     * @param why for the message to who has none
     */
    Proved proof(Bearer bearer, String why) throws RefusedException;
}
