package io.weft.controlplane.injector;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhook;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfiguration;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.weft.controlplane.ca.Authority;
import io.weft.controlplane.ca.Leaf;
import io.weft.controlplane.ca.Pem;
import io.weft.controlplane.ca.Root;
import io.weft.controlplane.ca.RootSet;
import io.weft.controlplane.ca.RootSetText;
import io.weft.controlplane.ca.UnusableRootException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Makes and renews the certificates of the injector and the control plane, and tells the API server whom to trust. One certificate
 * authority, in a Secret, is shared by all replicas; each has a certificate of its own, in memory. All replicas do the same and write
 * only what is not so already, if nobody else has meanwhile: so they cannot fight.
 *
 * <p>{@link #renew} on one thread; the rest from any.
 */
final class Certificates {

    /** Of the certificate of a replica, which nobody keeps. */
    private static final Duration OWN_LIFETIME = Duration.ofDays(7);
    /** Of the control plane's; its files reach it within minutes. */
    private static final Duration CONTROL_PLANE_LIFETIME = Duration.ofDays(30);
    /** A pod keeps the roots of the day on which it was created, so a new root is told long before it signs. */
    private static final Duration OVERLAP = Duration.ofDays(400);
    /** By then each replica, which looks once a minute, has a certificate of a root that the API server was told of. */
    private static final Duration ALL_HAVE_LOOKED = Duration.ofMinutes(3);

    private static final String PURPOSE = "weft-injector";
    private static final String ROOTS = "roots.json";
    private static final String CHAIN = "tls.crt";
    private static final String KEY = "tls.key";
    private static final String BUNDLE = "ca.crt";
    private static final int ATTEMPTS = 5;

    private record Own(X509Certificate certificate, SslContext context) {}

    private final CertificateSettings settings;
    private final Cluster cluster;
    private final Clock clock;

    private volatile Own own;
    private volatile String bundle;
    /** Of which the API server was told, as this replica saw when it looked last. */
    private X509Certificate trusted;
    private Instant trustedSince;

    Certificates(CertificateSettings settings, Cluster cluster, Clock clock) {
        this.settings = settings;
        this.cluster = cluster;
        this.clock = clock;
    }

    /** Empty until the first {@link #renew}. */
    Optional<SslContext> own() {
        return Optional.ofNullable(own).map(Own::context);
    }

    /** In PEM; empty until the first {@link #renew}. */
    Optional<String> bundle() {
        return Optional.ofNullable(bundle);
    }

    /** Does what is due. To be called again and again. */
    void renew() throws IOException {
        RootSet roots = roots();
        try {
            // One by the root that signed the last is believed as that was, whatever the API server can be told now.
            if (own == null || roots.signs(own.certificate)) {
                renewOwn(roots);
            }
            boolean isTrusted = tellApiServer();
            // Else in a minute: what the API server was told a moment ago it may not know yet.
            if (isTrusted) {
                renewOwn(roots);
            }
            if (settings.controlPlane().isPresent()) {
                renewControlPlane(settings.controlPlane().get(), roots);
            }
        } catch (UnusableRootException e) {
            throw new IOException(e.getMessage(), e);
        }
        bundle = Pem.of(roots.bundle());
    }

    private RootSet roots() throws IOException {
        for (int i = 0; i < ATTEMPTS; i++) {
            Secret secret = cluster.secret(settings.roots());
            Optional<byte[]> stored = data(secret, ROOTS);
            RootSet roots;
            if (stored.isEmpty()) {
                roots = RootSet.first(PURPOSE, clock.instant());
            } else {
                RootSet known = parse(stored.get());
                roots = known.goingOn(PURPOSE, clock.instant(), OVERLAP);
                if (roots.equals(known)) {
                    return known;
                }
            }
            if (cluster.replace(with(secret, Map.of(ROOTS, RootSetText.write(roots))))) {
                return roots;
            }
        }
        throw new IOException("secret " + settings.roots() + " is changed by others all the time");
    }

    private RootSet parse(byte[] stored) throws IOException {
        try {
            return RootSetText.read(stored);
        } catch (IOException e) {
            throw new IOException("secret " + settings.roots() + ", key " + ROOTS + ": " + e.getMessage(), e);
        }
    }

    private void renewOwn(RootSet roots) throws UnusableRootException, IOException {
        Own current = own;
        if (current != null && isFresh(current.certificate, roots)) {
            return;
        }
        KeyPair pair = Root.newKey();
        Leaf leaf = new Authority(roots, clock).issueForServer(pair.getPublic(), settings.hosts(), OWN_LIFETIME);
        SslContext context = SslContextBuilder.forServer(pair.getPrivate(), leaf.chain())
                .sslProvider(SslProvider.JDK)
                .protocols("TLSv1.3", "TLSv1.2")
                .build();
        own = new Own(leaf.certificate(), context);
    }

    /**
     * Of all webhooks of the configuration, since all of them are answered here. Who is trusted there and should not be, as when somebody
     * has replaced the root at once, remains so until all replicas have another certificate: the API server would not believe them.
     *
     * @return whether it was told of the root that signs by the round before
     */
    private boolean tellApiServer() throws IOException {
        for (int i = 0; i < ATTEMPTS; i++) {
            MutatingWebhookConfiguration configuration = cluster.webhook(settings.webhook());
            // Read after the configuration: what is written over a version of it is never older than what was there.
            List<X509Certificate> roots = roots().bundle();
            X509Certificate signing = roots.get(0);
            boolean isTrusted = configuration.getWebhooks().stream().allMatch(webhook -> trustedBy(webhook).contains(signing));
            // Who comes right after the one that told it, or at once with it, sees it there before the API server does.
            boolean isKnown = isTrusted && signing.equals(trusted);
            boolean all = isKnown && !clock.instant().isBefore(trustedSince.plus(ALL_HAVE_LOOKED));
            boolean changed = false;
            for (MutatingWebhook webhook : configuration.getWebhooks()) {
                Set<X509Certificate> expected = new LinkedHashSet<>(roots);
                if (!all) {
                    expected.addAll(trustedBy(webhook));
                }
                String text = Base64.getEncoder().encodeToString(Pem.of(List.copyOf(expected)).getBytes(StandardCharsets.US_ASCII));
                if (!text.equals(webhook.getClientConfig().getCaBundle())) {
                    webhook.getClientConfig().setCaBundle(text);
                    changed = true;
                }
            }
            if (!changed || cluster.replace(configuration)) {
                if (!signing.equals(trusted)) {
                    trusted = signing;
                    trustedSince = clock.instant();
                }
                return isKnown;
            }
        }
        throw new IOException("mutating webhook configuration " + settings.webhook() + " is changed by others all the time");
    }

    /** Nobody, if it cannot be read. */
    private static List<X509Certificate> trustedBy(MutatingWebhook webhook) {
        String there = webhook.getClientConfig().getCaBundle();
        try {
            return there == null ? List.of() : Pem.certificates(new String(Base64.getDecoder().decode(there), StandardCharsets.US_ASCII));
        } catch (IOException | IllegalArgumentException e) {
            return List.of();
        }
    }

    private void renewControlPlane(CertificateSettings.ControlPlane controlPlane, RootSet roots) throws IOException, UnusableRootException {
        Secret secret = cluster.secret(controlPlane.secret());
        byte[] roster = Pem.of(roots.bundle()).getBytes(StandardCharsets.US_ASCII);
        Optional<byte[]> chain = data(secret, CHAIN);
        boolean fresh = chain.isPresent() && data(secret, KEY).isPresent()
                && isFresh(Pem.certificates(new String(chain.get(), StandardCharsets.US_ASCII)).get(0), roots)
                && data(secret, BUNDLE).filter(there -> Arrays.equals(there, roster)).isPresent();
        if (fresh) {
            return;
        }
        KeyPair pair = Root.newKey();
        Leaf leaf = new Authority(roots, clock).issueForServer(pair.getPublic(), controlPlane.hosts(), CONTROL_PLANE_LIFETIME);
        // Whoever was faster has done the same.
        cluster.replace(with(secret, Map.of(
                CHAIN, Pem.of(leaf.chain()).getBytes(StandardCharsets.US_ASCII),
                KEY, Pem.of(pair.getPrivate()).getBytes(StandardCharsets.US_ASCII),
                BUNDLE, roster)));
    }

    /** Before half of its time, and made by the root that signs now. */
    private boolean isFresh(X509Certificate certificate, RootSet roots) {
        Instant begin = certificate.getNotBefore().toInstant();
        Duration lifetime = Duration.between(begin, certificate.getNotAfter().toInstant());
        return clock.instant().isBefore(begin.plus(lifetime.dividedBy(2))) && roots.signs(certificate);
    }

    private static Optional<byte[]> data(Secret secret, String key) {
        return Optional.ofNullable(secret.getData()).map(data -> data.get(key)).filter(text -> !text.isEmpty()).map(Base64.getDecoder()::decode);
    }

    private static Secret with(Secret secret, Map<String, byte[]> entries) {
        Map<String, String> data = new HashMap<>(secret.getData() == null ? Map.of() : secret.getData());
        entries.forEach((key, value) -> data.put(key, Base64.getEncoder().encodeToString(value)));
        secret.setData(data);
        return secret;
    }
}
