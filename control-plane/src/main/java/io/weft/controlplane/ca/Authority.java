package io.weft.controlplane.ca;

import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** Signs leaves for one mesh. Thread-safe. */
public record Authority(RootSet roots, Clock clock) {

    /**
     * @param uris SPIFFE IDs, at least one, proved by whoever asks
     * @param lifetime shortened where the signer or anything above it ends before
     * @throws UnusableRootException its time is over or has not come
     */
    public Leaf issue(PublicKey key, List<String> uris, Duration lifetime) throws UnusableRootException {
        Root signer = roots.signing();
        Instant now = clock.instant();
        signer.demandValid(now);
        Instant end = signer.end();
        Instant notAfter = now.plus(lifetime).isAfter(end) ? end : now.plus(lifetime);
        X509Certificate leaf = CertificateBuilder.leaf(signer, key, uris, now, notAfter);
        // The last of the signer's chain is the anchor, which the other side has.
        List<X509Certificate> between = signer.chain().subList(0, signer.chain().size() - 1);
        List<X509Certificate> chain = new ArrayList<>(List.of(leaf));
        chain.addAll(between);
        return new Leaf(chain);
    }

    public List<X509Certificate> bundle() {
        return roots.bundle();
    }
}
