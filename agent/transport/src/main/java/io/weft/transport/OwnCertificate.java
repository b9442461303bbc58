package io.weft.transport;

import io.weft.policy.model.TlsCertificate;
import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;

/** Shows one certificate to everybody who can use a key of its kind. */
final class OwnCertificate extends X509ExtendedKeyManager {
    private static final String ALIAS = "identity";

    private final TlsCertificate certificate;
    private final String keyType;

    OwnCertificate(TlsCertificate certificate) {
        this.certificate = certificate;
        keyType = certificate.leaf().getPublicKey().getAlgorithm();
    }

    /** JSSE asks for {@code EC}, {@code RSA}, {@code RSASSA-PSS}, {@code EdDSA} or, in TLS 1.2, {@code EC_EC} and {@code EC_RSA}. */
    private String alias(String asked) {
        return asked.equals(keyType) || asked.startsWith(keyType + "_") || asked.equals("Ed25519") && keyType.equals("EdDSA")
                ? ALIAS
                : null;
    }

    private String alias(String[] asked) {
        for (String type : asked) {
            if (alias(type) != null) {
                return ALIAS;
            }
        }
        return null;
    }

    @Override
    public String chooseClientAlias(String[] keyTypes, Principal[] issuers, Socket socket) {
        return alias(keyTypes);
    }

    @Override
    public String chooseEngineClientAlias(String[] keyTypes, Principal[] issuers, SSLEngine engine) {
        return alias(keyTypes);
    }

    @Override
    public String chooseServerAlias(String type, Principal[] issuers, Socket socket) {
        return alias(type);
    }

    @Override
    public String chooseEngineServerAlias(String type, Principal[] issuers, SSLEngine engine) {
        return alias(type);
    }

    @Override
    public String[] getClientAliases(String type, Principal[] issuers) {
        return alias(type) == null ? null : new String[] {ALIAS};
    }

    @Override
    public String[] getServerAliases(String type, Principal[] issuers) {
        return getClientAliases(type, issuers);
    }

    @Override
    public X509Certificate[] getCertificateChain(String alias) {
        return alias.equals(ALIAS) ? certificate.chain().toArray(X509Certificate[]::new) : null;
    }

    @Override
    public PrivateKey getPrivateKey(String alias) {
        return alias.equals(ALIAS) ? certificate.key() : null;
    }
}
