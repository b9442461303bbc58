package io.weft.controlplane.identity;

import io.grpc.Status;
import io.weft.controlplane.policy.Labels;
import io.weft.controlplane.registry.ClientNode;
import io.weft.controlplane.token.Bearer;
import io.weft.controlplane.token.Token;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/** By tokens of the control plane's own. Where no proof is demanded a data plane is taken at its word. */
public final class TokenAdmission implements Admission {

    private final Predicate<String> demanded;
    private final BooleanSupplier ofAll;
    private final Predicate<Token> revoked;

    /**
     * @param demanded whether the data planes of a mesh have to prove who they are
     * @param ofAll whether those of every mesh have to
     * @param revoked whether a token proves nothing any more
     */
    public TokenAdmission(Predicate<String> demanded, BooleanSupplier ofAll, Predicate<Token> revoked) {
        this.demanded = demanded;
        this.ofAll = ofAll;
        this.revoked = revoked;
    }

    @Override
    public ClientNode admit(Bearer bearer, ClientNode node) throws RefusedException {
        if (!demanded.test(node.mesh())) {
            return node;
        }
        Token token = token(bearer, "mesh " + node.mesh() + " serves nobody without a token",
                " (" + command(node.mesh(), node.service()) + ")");
        if (!token.mesh().equals(node.mesh())) {
            throw new RefusedException(Status.PERMISSION_DENIED.withDescription("the token of " + node.id() + " is for mesh "
                    + token.mesh() + ", not for mesh " + node.mesh()));
        }
        TreeSet<String> claimed = new TreeSet<>();
        for (Map<String, String> tags : node.tags()) {
            claimed.add(tags.getOrDefault(Labels.SERVICE, ""));
        }
        if (!node.service().isEmpty()) {
            claimed.add(node.service());
        }
        if (claimed.isEmpty()) {
            // Whoever is nobody would get an identity without a name.
            throw new RefusedException(Status.PERMISSION_DENIED.withDescription(
                    node.id() + " does not say which service it is; set node.cluster to " + token.service()));
        }
        refuseIfForeign(token, node, claimed);
        return node;
    }

    @Override
    public boolean demandsProofOfAll() {
        return ofAll.getAsBoolean();
    }

    @Override
    public void admitInPlaceOf(ClientNode holder, ClientNode node) throws RefusedException {
        // The holder's mesh may be the only one of the two that demands proof.
        boolean proved = demanded.test(node.mesh()) || demanded.test(holder.mesh());
        if (proved && !holder.mesh().equals(node.mesh())) {
            throw new RefusedException(Status.PERMISSION_DENIED.withDescription("the id " + node.id() + " belongs to mesh "
                    + holder.mesh() + "; choose another one in mesh " + node.mesh()));
        }
        if (proved && !holder.workload().equals(node.workload())) {
            throw new RefusedException(Status.PERMISSION_DENIED.withDescription("the id " + node.id() + " belongs to service "
                    + holder.workload() + "; choose another one for " + node.workload()));
        }
    }

    private static void refuseIfForeign(Token token, ClientNode node, TreeSet<String> claimed) throws RefusedException {
        claimed.remove(token.service());
        if (!claimed.isEmpty()) {
            throw new RefusedException(Status.PERMISSION_DENIED.withDescription("the token of " + node.id() + " is for service "
                    + token.service() + ", but it calls itself " + String.join(", ", claimed)
                    + "; make one with " + command(node.mesh(), claimed.first())));
        }
    }

    @Override
    public Proved proof(Bearer bearer, String why) throws RefusedException {
        Token token = token(bearer, why, "");
        return new Proved(token.mesh(), Workload.ofService(token.service()));
    }

    private static String command(String mesh, String service) {
        return "weft token --policies FOLDER --mesh " + mesh + " --service " + (service.isEmpty() ? "NAME" : service);
    }

    /** @param how to come by one */
    private Token token(Bearer bearer, String why, String how) throws RefusedException {
        Token token = bearer.proof()
                .filter(Token.class::isInstance)
                .map(Token.class::cast)
                .orElseThrow(() -> unproved(why, bearer.complaint() + how));
        if (revoked.test(token)) {
            throw unproved(why, "the token has been revoked; make a new one with weft token" + how);
        }
        return token;
    }

    private static RefusedException unproved(String why, String complaint) {
        return new RefusedException(Status.UNAUTHENTICATED.withDescription(why + ": " + complaint));
    }
}
