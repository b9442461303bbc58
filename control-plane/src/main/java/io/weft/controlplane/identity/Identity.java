package io.weft.controlplane.identity;

import io.weft.controlplane.ca.Authority;
import io.weft.controlplane.ca.Leaf;
import io.weft.controlplane.ca.UnusableRootException;
import java.security.PublicKey;
import java.time.Duration;
import java.util.List;

/**
 * Who a workload is.
 *
 * @param name under which its certificate is served by SDS, as in Kuma
 * @param lifetime of its certificates
 */
public record Identity(String name, String trustDomain, String spiffeId, Duration lifetime, Authority authority) {

    /** @param lifetime no longer than the identity's own */
    public Leaf issue(PublicKey key, Duration lifetime) throws UnusableRootException {
        return authority.issue(key, List.of(spiffeId), lifetime);
    }
}
