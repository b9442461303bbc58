package io.weft.controlplane.ca;

import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The roots of a mesh in the course of a rotation: a new root is trusted before it signs, and an old one until the last leaf that
 * it signed has expired, so that at every moment each side trusts what the other shows. Immutable.
 *
 * @param signing signs leaves now
 * @param next trusted already, signs later
 * @param former trusted, sign no more
 */
public record RootSet(Root signing, Optional<Next> next, List<Former> former) {

    public RootSet {
        former = List.copyOf(former);
    }

    public record Next(Root root, Instant signsFrom) {}

    public record Former(X509Certificate certificate, Instant trustedUntil) {}

    static RootSet of(Root root) {
        return new RootSet(root, Optional.empty(), List.of());
    }

    /** @param mesh, or what else the root is for; stands in its name */
    public static RootSet first(String mesh, Instant now) {
        return of(Root.generate(mesh, now));
    }

    /**
     * What holds at this moment, and well before a root ends the beginning of the next.
     *
     * @param overlap the longest that any leaf has, and as long as whoever trusts these may be without news
     */
    public RootSet goingOn(String mesh, Instant now, Duration overlap) {
        RootSet current = at(now, overlap);
        return current.next.isEmpty() && !now.isBefore(current.replacement())
                ? current.rotate(Root.generate(mesh, now), now, overlap)
                : current;
    }

    private Instant replacement() {
        return signing.certificate().getNotAfter().toInstant().minus(Root.LIFETIME.dividedBy(4));
    }

    /** Whether a leaf was signed by the root that signs now. */
    public boolean signs(X509Certificate leaf) {
        try {
            leaf.verify(signing.certificate().getPublicKey());
            return true;
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    /** All that are trusted, in a stable order. */
    public List<X509Certificate> bundle() {
        Set<X509Certificate> bundle = new LinkedHashSet<>();
        bundle.add(anchor(signing));
        next.ifPresent(coming -> bundle.add(anchor(coming.root)));
        former.forEach(gone -> bundle.add(gone.certificate));
        return List.copyOf(bundle);
    }

    private static X509Certificate anchor(Root root) {
        return root.chain().get(root.chain().size() - 1);
    }

    /**
     * Begins a rotation.
     *
     * @param overlap how long the new root is only trusted: as long as a workload may be without news
     * @throws IllegalStateException one is under way
     */
    RootSet rotate(Root fresh, Instant now, Duration overlap) {
        if (next.isPresent()) {
            throw new IllegalStateException("a rotation is under way: the new root signs from " + next.get().signsFrom);
        }
        return new RootSet(signing, Optional.of(new Next(fresh, now.plus(overlap))), former);
    }

    /**
     * What holds at this moment.
     *
     * @param leafLifetime the longest that any leaf has
     */
    RootSet at(Instant now, Duration leafLifetime) {
        List<Former> still = new ArrayList<>(former);
        still.removeIf(gone -> !gone.trustedUntil.isAfter(now));
        if (next.isPresent() && !next.get().signsFrom.isAfter(now)) {
            still.add(new Former(anchor(signing), now.plus(leafLifetime).plus(CertificateBuilder.BACKDATING)));
            return new RootSet(next.get().root, Optional.empty(), still);
        }
        return still.size() == former.size() ? this : new RootSet(signing, next, still);
    }

    /** When {@link #goingOn} has something to do. */
    public Instant due() {
        List<Instant> moments = new ArrayList<>();
        next.ifPresentOrElse(coming -> moments.add(coming.signsFrom), () -> moments.add(replacement()));
        former.forEach(gone -> moments.add(gone.trustedUntil));
        return moments.stream().min(Instant::compareTo).orElseThrow();
    }
}
