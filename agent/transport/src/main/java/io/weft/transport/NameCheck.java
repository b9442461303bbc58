package io.weft.transport;

import io.weft.dataplane.route.TextTest;
import io.weft.policy.model.CertificateValidation.SubjectAltName;
import io.weft.policy.model.CertificateValidation.SubjectAltName.Kind;
import io.weft.policy.model.StringMatch;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;

/** Whether a certificate has one of the names that policy admits. Immutable. */
final class NameCheck {
    private record Admitted(Kind kind, TextTest test, String exact) {}

    private final List<Admitted> admitted = new ArrayList<>();

    /** @param names empty: any certificate will do */
    NameCheck(List<SubjectAltName> names) {
        for (SubjectAltName name : names) {
            admitted.add(new Admitted(
                    name.kind(),
                    TextTest.of(name.match()),
                    name.match() instanceof StringMatch.Exact exact ? exact.value() : null));
        }
    }

    void check(X509Certificate certificate) throws CertificateException {
        if (admitted.isEmpty()) {
            return;
        }
        PeerNames names = PeerNames.of(certificate);
        for (Admitted one : admitted) {
            if (matches(one, names)) {
                return;
            }
        }
        throw new CertificateException("none of the peer's names " + names + " is one that policy admits");
    }

    private static boolean matches(Admitted one, PeerNames names) {
        return switch (one.kind) {
            case URI -> any(one.test, names.uris());
            case EMAIL -> any(one.test, names.emails());
            case IP_ADDRESS -> any(one.test, names.ipAddresses());
            case DNS -> anyHost(one, names.dns());
            case ANY -> any(one.test, names.uris())
                    || any(one.test, names.emails())
                    || any(one.test, names.ipAddresses())
                    || anyHost(one, names.dns());
        };
    }

    private static boolean any(TextTest test, List<String> names) {
        for (String name : names) {
            if (test.matches(name)) {
                return true;
            }
        }
        return false;
    }

    private static boolean anyHost(Admitted one, List<String> names) {
        for (String name : names) {
            if (one.exact == null ? one.test.matches(name) : isHost(name, one.exact)) {
                return true;
            }
        }
        return false;
    }

    /** RFC 6125: a wildcard stands for the leftmost label and for nothing else. */
    private static boolean isHost(String certified, String wanted) {
        if (!certified.startsWith("*.")) {
            return certified.equalsIgnoreCase(wanted);
        }
        int dot = wanted.indexOf('.');
        return dot > 0 && certified.length() - 1 == wanted.length() - dot
                && certified.regionMatches(true, 1, wanted, dot, wanted.length() - dot);
    }
}
