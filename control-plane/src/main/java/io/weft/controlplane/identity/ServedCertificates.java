package io.weft.controlplane.identity;

import io.weft.controlplane.ca.Leaf;
import io.weft.controlplane.ca.Root;
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

/**
 * The certificates of proxies, which cannot ask for one themselves: key and certificate are made here and served by SDS. Kept in
 * memory only. Each is renewed at a random moment between half and two thirds of its lifetime, so that those that were made
 * together are not renewed together. Thread-safe.
 */
public final class ServedCertificates {

    private final Clock clock;
    private final RandomGenerator random;
    private final Map<String, Served> served = new HashMap<>();

    /** @param identity for which it was made, without its authority: another root alone is no reason for a new leaf */
    private record Served(Who identity, Certificate certificate, Instant renewal) {}

    private record Who(String name, String spiffeId, Duration lifetime) {}

    public record Certificate(Leaf leaf, PrivateKey key) {}

    public ServedCertificates(Clock clock, RandomGenerator random) {
        this.clock = clock;
        this.random = random;
    }

    /** The certificate that a node should have now. */
    public synchronized Certificate of(String node, Identity identity) {
        Who who = new Who(identity.name(), identity.spiffeId(), identity.lifetime());
        Served last = served.get(node);
        if (last != null && last.identity.equals(who) && clock.instant().isBefore(last.renewal)) {
            return last.certificate;
        }
        KeyPair pair = Root.newKey();
        Certificate certificate = new Certificate(identity.issue(pair.getPublic(), identity.lifetime()), pair.getPrivate());
        served.put(node, new Served(who, certificate, clock.instant().plus(renewalAfter(identity.lifetime()))));
        return certificate;
    }

    private Duration renewalAfter(Duration lifetime) {
        long half = lifetime.toMillis() / 2;
        return Duration.ofMillis(half + random.nextLong(lifetime.toMillis() / 6 + 1));
    }

    /** Forgets the nodes that are gone. */
    public synchronized void retain(Set<String> nodes) {
        served.keySet().retainAll(nodes);
    }

    public synchronized Optional<Instant> nextRenewal() {
        return served.values().stream().map(Served::renewal).min(Instant::compareTo);
    }
}
