package io.weft.it.comparison;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.util.Base64;
import java.util.List;

/** JSON Web Tokens, good and bad, by a key of this process. */
final class Tokens {
    private static final long SOON = 4_000_000_000L;
    private static final long LONG_AGO = 1_000_000_000L;

    private static final KeyPair KEY = keyPair();
    private static final KeyPair OTHER_KEY = keyPair();

    /** That the first of these was signed with. */
    static final String KEYS = jwks((ECPublicKey) KEY.getPublic());

    static final String GOOD = token(KEY, "issuer-1", "a", SOON);
    static final String OF_OTHER_ISSUER = token(KEY, "issuer-2", "a", SOON);

    static final List<String> ALL = List.of(
            GOOD,
            OF_OTHER_ISSUER,
            token(KEY, "issuer-1", "b", SOON),
            token(KEY, "issuer-1", "a", LONG_AGO),
            token(OTHER_KEY, "issuer-1", "a", SOON),
            GOOD.substring(0, GOOD.length() - 8),
            "no.token",
            "");

    private Tokens() {}

    private static KeyPair keyPair() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String jwks(ECPublicKey key) {
        return "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"ES256\",\"kid\":\"k\",\"x\":\"" + coordinate(key.getW().getAffineX())
                + "\",\"y\":\"" + coordinate(key.getW().getAffineY()) + "\"}]}";
    }

    private static String coordinate(BigInteger number) {
        byte[] bytes = number.toByteArray();
        byte[] padded = new byte[32];
        int length = Math.min(bytes.length, padded.length);
        System.arraycopy(bytes, bytes.length - length, padded, padded.length - length, length);
        return base64(padded);
    }

    private static String token(KeyPair key, String issuer, String audience, long expiry) {
        String head = base64("{\"alg\":\"ES256\",\"kid\":\"k\"}".getBytes(StandardCharsets.UTF_8));
        String claims = base64(("{\"iss\":\"" + issuer + "\",\"aud\":\"" + audience + "\",\"sub\":\"ann\",\"exp\":" + expiry + "}")
                .getBytes(StandardCharsets.UTF_8));
        try {
            Signature signature = Signature.getInstance("SHA256withECDSAinP1363Format");
            signature.initSign(key.getPrivate());
            signature.update((head + "." + claims).getBytes(StandardCharsets.UTF_8));
            return head + "." + claims + "." + base64(signature.sign());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String base64(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }
}
