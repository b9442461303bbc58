package io.weft.dataplane.jwt;

import io.weft.dataplane.jwt.JsonReader.JsonException;
import java.math.BigInteger;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.security.spec.EdECPoint;
import java.security.spec.EdECPublicKeySpec;
import java.security.spec.NamedParameterSpec;
import java.security.spec.RSAPublicKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import javax.crypto.spec.SecretKeySpec;

/**
 * A JSON Web Key Set (RFC 7517), its keys ready to verify with. A key that is not understood is left out, as in Envoy; a set in
 * which there is no other verifies nothing. Immutable.
 */
final class JsonWebKeys {
    static final JsonWebKeys NONE = new JsonWebKeys(List.of());

    private static final Map<String, String> CURVES = Map.of("P-256", "secp256r1", "P-384", "secp384r1", "P-521", "secp521r1");
    private static final Map<String, String> CURVE_OF = Map.of("ES256", "P-256", "ES384", "P-384", "ES512", "P-521");
    private static final int ED25519_BYTES = 32;
    private static final int ED25519_SIGNATURE_BYTES = 64;

    private final List<WebKey> keys;

    /**
     * @param type {@code kty}
     * @param kid empty: for tokens of any
     * @param alg empty: any of its type
     * @param curve of an EC key; empty otherwise
     */
    private record WebKey(String type, String kid, String alg, String curve, Key key) {

        boolean isFor(Jwt jwt) {
            return (jwt.kid().isEmpty() || kid.isEmpty() || kid.equals(jwt.kid()))
                    && (alg.isEmpty() || alg.equals(jwt.alg()));
        }
    }

    private JsonWebKeys(List<WebKey> keys) {
        this.keys = keys;
    }

    /** {@link #NONE} when the text is no key set or holds no key that is understood. */
    static JsonWebKeys parse(String jwks) {
        Object keys;
        try {
            keys = JsonReader.object(jwks).get("keys");
        } catch (JsonException e) {
            return NONE;
        }
        if (!(keys instanceof List<?> list)) {
            return NONE;
        }
        List<WebKey> understood = new ArrayList<>();
        for (Object key : list) {
            WebKey parsed = key instanceof Map<?, ?> fields ? parse(fields) : null;
            if (parsed != null) {
                understood.add(parsed);
            }
        }
        return understood.isEmpty() ? NONE : new JsonWebKeys(understood);
    }

    boolean isEmpty() {
        return keys.isEmpty();
    }

    JwtStatus verify(Jwt jwt) {
        if (keys.isEmpty()) {
            return JwtStatus.NO_VALID_KEYS;
        }
        Algorithm algorithm = Algorithm.valueOf(jwt.alg());
        boolean matched = false;
        for (WebKey key : keys) {
            if (!key.isFor(jwt)) {
                continue;
            }
            matched = true;
            // Never a key with an algorithm of another kind: a public key is no shared secret.
            if (!key.type.equals(algorithm.keyType())) {
                continue;
            }
            if (algorithm == Algorithm.EdDSA && jwt.signature().length != ED25519_SIGNATURE_BYTES) {
                return JwtStatus.ED25519_SIGNATURE_WRONG_LENGTH;
            }
            boolean curveFits = key.curve.isEmpty() || key.curve.equals(CURVE_OF.get(jwt.alg()));
            if (curveFits && algorithm.verifies(key.key, jwt.signedPart(), jwt.signature())) {
                return JwtStatus.OK;
            }
        }
        return matched ? JwtStatus.VERIFICATION_FAILS : JwtStatus.NO_KEY_MATCHES;
    }

    /** @return null when it is not understood */
    private static WebKey parse(Map<?, ?> fields) {
        String type = text(fields, "kty");
        String kid = text(fields, "kid");
        String alg = text(fields, "alg");
        if (type == null || kid == null || alg == null) {
            return null;
        }
        try {
            switch (type) {
                case "RSA":
                    return alg.isEmpty() || alg.startsWith("RS") || alg.startsWith("PS")
                            ? new WebKey(type, kid, alg, "", rsa(fields))
                            : null;
                case "EC":
                    String curve = ecCurve(alg, text(fields, "crv"));
                    return curve == null ? null : new WebKey(type, kid, alg, curve, ec(fields, curve));
                case "OKP":
                    return (alg.isEmpty() || alg.equals("EdDSA")) && "Ed25519".equals(fields.get("crv"))
                            ? new WebKey(type, kid, alg, "", ed25519(fields))
                            : null;
                case "oct":
                    return alg.isEmpty() || alg.startsWith("HS")
                            ? new WebKey(type, kid, alg, "", new SecretKeySpec(bytes(fields, "k"), "HMAC"))
                            : null;
                default:
                    return null;
            }
        } catch (GeneralSecurityException | IllegalArgumentException notUnderstood) {
            return null;
        }
    }

    /** One of the two says it; P-256 when neither does. */
    private static String ecCurve(String alg, String crv) {
        if (crv == null || !alg.isEmpty() && !CURVE_OF.containsKey(alg)) {
            return null;
        }
        String curve = crv.isEmpty() ? CURVE_OF.getOrDefault(alg, "P-256") : crv;
        boolean agree = alg.isEmpty() || CURVE_OF.get(alg).equals(curve);
        return agree && CURVES.containsKey(curve) ? curve : null;
    }

    private static PublicKey rsa(Map<?, ?> fields) throws GeneralSecurityException {
        BigInteger modulus = new BigInteger(1, bytes(fields, "n"));
        BigInteger exponent = new BigInteger(1, bytes(fields, "e"));
        return KeyFactory.getInstance("RSA").generatePublic(new RSAPublicKeySpec(modulus, exponent));
    }

    private static PublicKey ec(Map<?, ?> fields, String curve) throws GeneralSecurityException {
        AlgorithmParameters parameters = AlgorithmParameters.getInstance("EC");
        parameters.init(new ECGenParameterSpec(CURVES.get(curve)));
        ECPoint point = new ECPoint(new BigInteger(1, bytes(fields, "x")), new BigInteger(1, bytes(fields, "y")));
        return KeyFactory.getInstance("EC")
                .generatePublic(new ECPublicKeySpec(point, parameters.getParameterSpec(ECParameterSpec.class)));
    }

    private static PublicKey ed25519(Map<?, ?> fields) throws GeneralSecurityException {
        byte[] littleEndian = bytes(fields, "x");
        if (littleEndian.length != ED25519_BYTES) {
            throw new IllegalArgumentException("x");
        }
        byte[] y = new byte[ED25519_BYTES];
        for (int i = 0; i < ED25519_BYTES; i++) {
            y[i] = littleEndian[ED25519_BYTES - 1 - i];
        }
        boolean xOdd = (y[0] & 0x80) != 0;
        y[0] &= 0x7f;
        return KeyFactory.getInstance("Ed25519").generatePublic(
                new EdECPublicKeySpec(NamedParameterSpec.ED25519, new EdECPoint(xOdd, new BigInteger(1, y))));
    }

    /** @return empty when it is not there, null when it is no text */
    private static String text(Map<?, ?> fields, String name) {
        Object value = fields.get(name);
        return value == null ? "" : value instanceof String text ? text : null;
    }

    private static byte[] bytes(Map<?, ?> fields, String name) {
        String encoded = text(fields, name);
        if (encoded == null || encoded.isEmpty()) {
            throw new IllegalArgumentException(name);
        }
        return Base64.getUrlDecoder().decode(encoded);
    }
}
