package io.weft.policy.identity;

import io.weft.policy.model.CertificateValidation;
import io.weft.policy.model.CertificateValidation.Trust;
import io.weft.policy.model.TlsCertificate;
import io.weft.policy.parse.CertificateText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Files with a certificate, its key and the roots. In a directory they are found in one of the layouts that are usual: those of Kubernetes' TLS secrets and
 * cert-manager ({@code tls.crt, tls.key, ca.crt}), of Istio ({@code cert-chain.pem, key.pem, root-cert.pem}), and of SPIFFE's helper
 * ({@code svid.pem, svid_key.pem, svid_bundle.pem}). Not thread-safe.
 */
public final class IdentityFiles {
    private static final List<Layout> LAYOUTS = List.of(
            new Layout("tls.crt", "tls.key", "ca.crt"),
            new Layout("cert-chain.pem", "key.pem", "root-cert.pem"),
            new Layout("svid.pem", "svid_key.pem", "svid_bundle.pem"));

    private final IdentityConfig.InFiles source;
    private List<Object> seen = List.of();

    private record Layout(String certificate, String key, String authorities) {
        String names() {
            return certificate + ", " + key + ", " + authorities;
        }
    }

    public IdentityFiles(IdentityConfig.InFiles source) {
        this.source = source;
    }

    /**
     * What the files hold, if they have changed since they were last read as a whole.
     *
     * @throws IOException they do not fit together, perhaps as they are just being replaced; asked again, they are read again
     */
    public Optional<HeldIdentity> changed() throws IOException {
        IdentityConfig.Files files = source instanceof IdentityConfig.Directory directory
                ? inLayout(directory.path())
                : (IdentityConfig.Files) source;
        List<Object> before = stamps(files);
        if (before.equals(seen)) {
            return Optional.empty();
        }
        HeldIdentity identity = read(files);
        // Read while they were replaced, they may fit together by chance.
        if (!stamps(files).equals(before)) {
            throw new IOException(names(files) + " are being replaced");
        }
        seen = before;
        return Optional.of(identity);
    }

    private static IdentityConfig.Files inLayout(Path directory) throws IOException {
        for (Layout layout : LAYOUTS) {
            if (Files.exists(directory.resolve(layout.certificate))) {
                return new IdentityConfig.Files(
                        Optional.of(new IdentityConfig.CertificateFiles(
                                directory.resolve(layout.certificate), directory.resolve(layout.key))),
                        Optional.of(directory.resolve(layout.authorities)));
            }
        }
        List<String> known = new ArrayList<>();
        LAYOUTS.forEach(layout -> known.add(layout.names()));
        throw new IOException(directory + " holds no identity; it must have " + String.join("; or ", known));
    }

    private static List<Object> stamps(IdentityConfig.Files files) throws IOException {
        List<Object> stamps = new ArrayList<>();
        for (Path file : all(files)) {
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            // Kubernetes replaces a whole volume by turning one link: then it is another file.
            stamps.add(List.of(
                    attributes.size(), attributes.lastModifiedTime(), String.valueOf(attributes.fileKey()), file.toRealPath().toString()));
        }
        return stamps;
    }

    private static List<Path> all(IdentityConfig.Files files) {
        List<Path> all = new ArrayList<>();
        files.certificate().ifPresent(certificate -> all.addAll(List.of(certificate.chain(), certificate.key())));
        files.authorities().ifPresent(all::add);
        return all;
    }

    private static String names(IdentityConfig.Files files) {
        return all(files).stream().map(Path::toString).collect(Collectors.joining(", "));
    }

    private static HeldIdentity read(IdentityConfig.Files files) throws IOException {
        try {
            Optional<TlsCertificate> certificate = Optional.empty();
            Optional<Trust> trust = Optional.empty();
            if (files.certificate().isPresent()) {
                IdentityConfig.CertificateFiles own = files.certificate().get();
                certificate = Optional.of(CertificateText.identity(Files.readAllBytes(own.chain()), Files.readAllBytes(own.key())));
            }
            if (files.authorities().isPresent()) {
                List<X509Certificate> authorities = CertificateText.certificates(Files.readAllBytes(files.authorities().get()));
                if (certificate.isPresent()) {
                    demandIssuer(certificate.get(), authorities);
                }
                trust = Optional.of(new CertificateValidation.Authorities(authorities));
            }
            return new HeldIdentity(certificate, trust);
        } catch (CertificateException e) {
            throw new IOException("the identity in " + names(files) + " cannot be used: " + e.getMessage(), e);
        }
    }

    /** The chain must end at one of the roots: files of two generations do not fit together. */
    private static void demandIssuer(TlsCertificate certificate, List<X509Certificate> authorities) throws CertificateException {
        X509Certificate last = certificate.chain().get(certificate.chain().size() - 1);
        for (X509Certificate authority : authorities) {
            if (authority.equals(last)) {
                return;
            }
            try {
                last.verify(authority.getPublicKey());
                return;
            } catch (GeneralSecurityException e) {
                // Signed by another one, if at all.
                continue;
            }
        }
        throw new CertificateException("none of the roots has signed its chain");
    }
}
