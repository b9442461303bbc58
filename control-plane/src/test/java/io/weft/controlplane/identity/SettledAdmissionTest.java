package io.weft.controlplane.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.grpc.Status;
import io.weft.controlplane.policy.Metadata;
import io.weft.controlplane.policy.ResourceId;
import io.weft.controlplane.registry.ClientNode;
import io.weft.controlplane.token.Bearer;
import io.weft.controlplane.token.Token;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SettledAdmissionTest {

    private static final Bearer BEARER = Bearer.nobody("no token came");

    private final Map<String, String> closed = new HashMap<>();
    private final Admission admission = new SettledAdmission(
            new TokenAdmission(mesh -> false, () -> false, (Token token) -> false), mesh -> Optional.ofNullable(closed.get(mesh)));

    private static ClientNode node(String mesh) {
        return new ClientNode(mesh + ".orders-1", "orders", ClientNode.Kind.AGENT,
                new Metadata(new ResourceId("Dataplane", mesh, "orders-1"), "orders-1", "", Map.of()),
                Optional.empty(), new ClientNode.Binding("127.0.0.1", Map.of()), false, Optional.empty());
    }

    /** Fails closed. */
    @Test
    void nobodyOfAClosedMeshIsAdmittedUntilItIsOpen() throws Exception {
        closed.put("shop", "/etc/weft/ca.key is not there");
        Status status = catchThrowableOfType(
                Admission.RefusedException.class, () -> admission.admit(BEARER, node("shop"))).status();
        assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(status.getDescription()).contains("mesh shop is closed").doesNotContain("ca.key");
        assertThat(admission.admit(BEARER, node("other"))).isEqualTo(node("other"));
        closed.clear();
        assertThat(admission.admit(BEARER, node("shop"))).isEqualTo(node("shop"));
    }

    /** Who may not be admitted at all is not told that the mesh is closed. */
    @Test
    void whoProvesNothingHearsThatFirst() {
        closed.put("shop", "why");
        Admission demanding = new SettledAdmission(
                new TokenAdmission(mesh -> true, () -> true, (Token token) -> false), mesh -> Optional.ofNullable(closed.get(mesh)));
        assertThat(catchThrowableOfType(Admission.RefusedException.class, () -> demanding.admit(BEARER, node("shop"))).status().getCode())
                .isEqualTo(Status.Code.UNAUTHENTICATED);
        assertThat(catchThrowableOfType(Admission.RefusedException.class, () -> demanding.proof(BEARER, "why")).status().getCode())
                .isEqualTo(Status.Code.UNAUTHENTICATED);
    }
}
