package io.weft.policy.identity;

import io.weft.policy.model.TlsCertificate;
import io.weft.policy.parse.CertificateText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A directory with a certificate, its key and the roots, in one of the layouts that are usual: those of Kubernetes' TLS secrets and
 * cert-manager ({@code tls.crt, tls.key, ca.crt}), of Istio ({@code cert-chain.pem, key.pem, root-cert.pem}), and of SPIFFE's helper
 * ({@code svid.pem, svid_key.pem, svid_bundle.pem}). Not thread-safe.
 */
public final class IdentityDirectory {
    private static final List<Layout> LAYOUTS = List.of(
            new Layout("tls.crt", "tls.key", "ca.crt"),
            new Layout("cert-chain.pem", "key.pem", "root-cert.pem"),
            new Layout("svid.pem", "svid_key.pem", "svid_bundle.pem"));

    private final Path directory;
    private List<Object> seen = List.of();

    private record Layout(String certificate, String key, String authorities) {
        String names() {
            return certificate + ", " + key + ", " + authorities;
        }
    }

    public IdentityDirectory(Path directory) {
        this.directory = directory;
    }

    /**
     * What the files hold, if they have changed since they were last read as a whole.
     *
     * @throws IOException they do not fit together, perhaps as they are just being replaced; asked again, they are read again
     */
    public Optional<HeldIdentity> changed() throws IOException {
        Layout layout = layout();
        List<Object> before = stamps(layout);
        if (before.equals(seen)) {
            return Optional.empty();
        }
        HeldIdentity identity = read(layout);
        // Read while they were replaced, they may fit together by chance.
        if (!stamps(layout).equals(before)) {
            throw new IOException("the files in " + directory + " are being replaced");
        }
        seen = before;
        return Optional.of(identity);
    }

    private Layout layout() throws IOException {
        for (Layout layout : LAYOUTS) {
            if (Files.exists(directory.resolve(layout.certificate))) {
                return layout;
            }
        }
        List<String> known = new ArrayList<>();
        LAYOUTS.forEach(layout -> known.add(layout.names()));
        throw new IOException(directory + " holds no identity; it must have " + String.join("; or ", known));
    }

    private List<Object> stamps(Layout layout) throws IOException {
        List<Object> stamps = new ArrayList<>();
        for (String name : List.of(layout.certificate, layout.key, layout.authorities)) {
            BasicFileAttributes attributes = Files.readAttributes(directory.resolve(name), BasicFileAttributes.class);
            stamps.add(List.of(attributes.size(), attributes.lastModifiedTime(), String.valueOf(attributes.fileKey())));
        }
        // Kubernetes replaces a whole volume by turning one link; a file in the same place may have the same stamp.
        Path link = directory.resolve("..data");
        if (Files.exists(link, LinkOption.NOFOLLOW_LINKS) && Files.isSymbolicLink(link)) {
            stamps.add(Files.readSymbolicLink(link).toString());
        }
        return stamps;
    }

    private HeldIdentity read(Layout layout) throws IOException {
        try {
            byte[] chain = Files.readAllBytes(directory.resolve(layout.certificate));
            byte[] key = Files.readAllBytes(directory.resolve(layout.key));
            TlsCertificate certificate = CertificateText.identity(chain, key);
            List<X509Certificate> authorities =
                    CertificateText.certificates(Files.readAllBytes(directory.resolve(layout.authorities)));
            demandIssuer(certificate, authorities);
            return new HeldIdentity(certificate, authorities);
        } catch (CertificateException e) {
            throw new IOException("the identity in " + directory + " (" + layout.names() + ") cannot be used: " + e.getMessage(), e);
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
