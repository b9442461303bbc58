package io.weft.controlplane.ca;

import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;

/** Signs leaves for one mesh. Thread-safe. */
public record Authority(RootSet roots, Clock clock) {

    /**
     * @param uris SPIFFE IDs, at least one, proved by whoever asks
     * @param lifetime shortened where the signer or anything above it ends before
     * @throws UnusableRootException its time is over or has not come
     */
    public Leaf issue(PublicKey key, List<String> uris, Duration lifetime) throws UnusableRootException {
        return issue(lifetime, (signer, notAfter) -> CertificateBuilder.leaf(signer, key, uris, clock.instant(), notAfter));
    }

    /**
     * For a server that is known by its name.
     *
     * @param hosts DNS names, at least one
     * @throws UnusableRootException its time is over or has not come
     */
    public Leaf issueForServer(PublicKey key, List<String> hosts, Duration lifetime) throws UnusableRootException {
        return issue(lifetime, (signer, notAfter) -> CertificateBuilder.server(signer, key, hosts, clock.instant(), notAfter));
    }

    private Leaf issue(Duration lifetime, BiFunction<Root, Instant, X509Certificate> builder) throws UnusableRootException {
        Root signer = roots.signing();
        Instant now = clock.instant();
        signer.demandValid(now);
        Instant end = signer.end();
        Instant notAfter = now.plus(lifetime).isAfter(end) ? end : now.plus(lifetime);
        X509Certificate leaf = builder.apply(signer, notAfter);
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
