package io.weft.agent.status;

import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.Secret;
import io.weft.policy.model.TlsCertificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A certificate that this process can show.
 *
 * @param name of the secret; {@link Secret#OWN_IDENTITY} or {@link Secret#ofProvider} for one that it got for itself
 */
record ShownIdentity(String name, String spiffeId, String issuer, Instant expires) {

    /** In the order of their names. */
    static List<ShownIdentity> of(PolicySnapshot policy) {
        List<ShownIdentity> identities = new ArrayList<>();
        for (Secret secret : policy.secrets().values()) {
            if (secret.content() instanceof Secret.Identity identity) {
                TlsCertificate certificate = identity.certificate();
                identities.add(new ShownIdentity(
                        secret.name(),
                        certificate.uri(),
                        certificate.leaf().getIssuerX500Principal().getName(),
                        certificate.leaf().getNotAfter().toInstant()));
            }
        }
        identities.sort(Comparator.comparing(ShownIdentity::name));
        return identities;
    }
}
