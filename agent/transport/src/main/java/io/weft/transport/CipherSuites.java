package io.weft.transport;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** OpenSSL's names of cipher suites, which policies use, as those of RFC 5246 and its kin, which JSSE uses. */
final class CipherSuites {
    private CipherSuites() {}

    /** {@code [ECDHE-A|ECDHE-B]}, BoringSSL's group of equals, counts as its members. What JSSE does not know stays out. */
    static Set<String> jsse(List<String> openSslNames) {
        Set<String> suites = new HashSet<>();
        for (String group : openSslNames) {
            for (String name : group.replace("[", "").replace("]", "").split("\\|")) {
                suites.add(jsse(name));
            }
        }
        return suites;
    }

    static boolean isTls13(String suite) {
        return !suite.contains("_WITH_") && !suite.endsWith("_SCSV");
    }

    /** As in {@code ECDHE-ECDSA-AES128-GCM-SHA256}: key exchange, authentication, cipher, mode, hash. */
    private static String jsse(String name) {
        if (name.startsWith("TLS_")) {
            return name;
        }
        String exchange = "RSA";
        String cipher = name;
        for (String prefix : List.of("ECDHE-ECDSA-", "ECDHE-RSA-", "DHE-RSA-")) {
            if (name.startsWith(prefix)) {
                exchange = prefix.substring(0, prefix.length() - 1).replace('-', '_');
                cipher = name.substring(prefix.length());
            }
        }
        if (cipher.startsWith("CHACHA20-POLY1305")) {
            return "TLS_" + exchange + "_WITH_CHACHA20_POLY1305_SHA256";
        }
        String spelled = cipher.replace("AES128-", "AES_128_").replace("AES256-", "AES_256_").replace('-', '_');
        // Without a mode it is CBC.
        boolean cbc = !spelled.contains("GCM");
        return "TLS_" + exchange + "_WITH_" + (cbc ? spelled.replace("_SHA", "_CBC_SHA") : spelled);
    }
}
