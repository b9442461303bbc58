package io.weft.benchmarks.workload;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** TLS as a developer gives it to an app: by the system properties {@code workload.keystore} and {@code workload.truststore}, PKCS#12. */
final class OwnTls {
    static final String KEY_STORE = System.getProperty("workload.keystore");
    static final String TRUST_STORE = System.getProperty("workload.truststore");
    static final String PASSWORD = "changeit";

    private OwnTls() {}

    static boolean isThere() {
        return KEY_STORE != null;
    }

    static SSLContext context() throws GeneralSecurityException, IOException {
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(load(KEY_STORE), PASSWORD.toCharArray());
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(load(TRUST_STORE));
        SSLContext context = SSLContext.getInstance("TLSv1.3");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    private static KeyStore load(String file) throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = new FileInputStream(file)) {
            store.load(in, PASSWORD.toCharArray());
        }
        return store;
    }
}
