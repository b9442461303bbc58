package io.weft.transport;

import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** The subject alternative names of a certificate, in its order. */
record PeerNames(List<String> uris, List<String> dns, List<String> emails, List<String> ipAddresses) {
    private static final int EMAIL = 1;
    private static final int DNS = 2;
    private static final int URI = 6;
    private static final int IP = 7;

    /** @throws CertificateException they cannot be read, which must not be taken for none */
    static PeerNames of(X509Certificate certificate) throws CertificateException {
        PeerNames names = new PeerNames(new ArrayList<>(1), new ArrayList<>(1), new ArrayList<>(0), new ArrayList<>(0));
        Collection<List<?>> all = certificate.getSubjectAlternativeNames();
        if (all != null) {
            for (List<?> name : all) {
                if (name.get(1) instanceof String text) {
                    names.add((Integer) name.get(0), text);
                }
            }
        }
        return names;
    }

    private void add(int kind, String name) {
        switch (kind) {
            case URI -> uris.add(name);
            case DNS -> dns.add(name);
            case EMAIL -> emails.add(name);
            case IP -> ipAddresses.add(name);
            default -> { }
        }
    }
}
