package io.weft.controlplane.identity;

import io.weft.controlplane.ca.Leaf;
import io.weft.controlplane.ca.Root;
import io.weft.controlplane.ca.UnusableRootException;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The certificates of proxies, which cannot ask for one themselves: key and certificate are made here and served by SDS. Kept in
 * memory only. Each is renewed at a random moment between half and two thirds of its lifetime, so that those that were made
 * together are not renewed together. Thread-safe.
 */
public final class ServedCertificates {

    private static final Logger LOG = LoggerFactory.getLogger(ServedCertificates.class);

    private final Clock clock;
    private final RandomGenerator random;
    private final Map<String, Served> served = new HashMap<>();
    /** Why the last one could not be made. */
    private String failure = "";

    /** @param identity for which it was made, without its authority: another root alone is no reason for a new leaf */
    private record Served(Who identity, Certificate certificate, Instant renewal) {

        /** Not if the clock was set back behind its beginning. */
        boolean isGoodAt(Instant now) {
            return now.isBefore(renewal) && !now.isBefore(certificate.leaf.certificate().getNotBefore().toInstant());
        }
    }

    private record Who(String name, String spiffeId, Duration lifetime) {}

    public record Certificate(Leaf leaf, PrivateKey key) {}

    public ServedCertificates(Clock clock, RandomGenerator random) {
        this.clock = clock;
        this.random = random;
    }

    /** The certificate that a node should have now: the last one if no other can be made, and empty if there was none. */
    public synchronized Optional<Certificate> of(String node, Identity identity) {
        Who who = new Who(identity.name(), identity.spiffeId(), identity.lifetime());
        Served last = served.get(node);
        boolean same = last != null && last.identity.equals(who);
        if (same && last.isGoodAt(clock.instant())) {
            return Optional.of(last.certificate);
        }
        KeyPair pair = Root.newKey();
        try {
            Certificate certificate = new Certificate(identity.issue(pair.getPublic(), identity.lifetime()), pair.getPrivate());
            served.put(node, new Served(who, certificate, renewal(certificate, identity.lifetime())));
            failure = "";
            return Optional.of(certificate);
        } catch (UnusableRootException e) {
            if (!failure.equals(e.getMessage())) {
                failure = e.getMessage();
                LOG.error("no certificate can be given to {}: {}", identity.spiffeId(), failure);
            }
            return same ? Optional.of(last.certificate) : Optional.empty();
        }
    }

    /** @param usual of a certificate; near its root's end it lives shorter */
    private Instant renewal(Certificate certificate, Duration usual) {
        Instant now = clock.instant();
        // Certificates count in whole seconds.
        long left = Duration.between(now, certificate.leaf.certificate().getNotAfter().toInstant()).toMillis() + 1_000;
        long lifetime = Math.max(0, Math.min(usual.toMillis(), left));
        return now.plusMillis(lifetime / 2 + random.nextLong(lifetime / 6 + 1));
    }

    /** Forgets the nodes that are gone. */
    public synchronized void retain(Set<String> nodes) {
        served.keySet().retainAll(nodes);
    }

    /** Whether any should be renewed now, which a clock that was set makes so at any time. */
    public synchronized boolean due() {
        return served.values().stream().anyMatch(each -> !each.isGoodAt(clock.instant()));
    }

    public synchronized Optional<Instant> nextRenewal() {
        return served.values().stream().map(Served::renewal).min(Instant::compareTo);
    }
}
