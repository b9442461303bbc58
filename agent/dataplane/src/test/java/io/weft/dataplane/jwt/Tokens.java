package io.weft.dataplane.jwt;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.EdECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.util.Arrays;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** An issuer of tokens with one key, made by the JDK. */
final class Tokens {
    private final String alg;
    private final String kid;
    private final KeyPair pair;
    private final byte[] secret;

    private Tokens(String alg, String kid, KeyPair pair, byte[] secret) {
        this.alg = alg;
        this.kid = kid;
        this.pair = pair;
        this.secret = secret;
    }

    static Tokens issuer(String alg, String kid) {
        try {
            KeyPairGenerator generator;
            switch (alg.substring(0, 2)) {
                case "RS":
                case "PS":
                    generator = KeyPairGenerator.getInstance("RSA");
                    generator.initialize(2048);
                    break;
                case "ES":
                    generator = KeyPairGenerator.getInstance("EC");
                    generator.initialize(new ECGenParameterSpec(
                            alg.equals("ES256") ? "secp256r1" : alg.equals("ES384") ? "secp384r1" : "secp521r1"));
                    break;
                case "Ed":
                    generator = KeyPairGenerator.getInstance("Ed25519");
                    break;
                default:
                    return new Tokens(alg, kid, null, "a secret that is long enough".getBytes(StandardCharsets.US_ASCII));
            }
            return new Tokens(alg, kid, generator.generateKeyPair(), null);
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    /** The key set, with the key's algorithm in it. */
    String jwks() {
        return "{\"keys\":[" + jwk() + "]}";
    }

    String jwk() {
        return "{\"kid\":\"" + kid + "\",\"alg\":\"" + alg + "\"," + key() + "}";
    }

    private String key() {
        if (pair == null) {
            return "\"kty\":\"oct\",\"k\":\"" + base64(secret) + "\"";
        }
        if (pair.getPublic() instanceof RSAPublicKey rsa) {
            return "\"kty\":\"RSA\",\"n\":\"" + base64(rsa.getModulus()) + "\",\"e\":\"" + base64(rsa.getPublicExponent()) + "\"";
        }
        if (pair.getPublic() instanceof ECPublicKey ec) {
            int bits = ec.getParams().getCurve().getField().getFieldSize();
            return "\"kty\":\"EC\",\"crv\":\"P-" + bits + "\",\"x\":\"" + base64(ec.getW().getAffineX()) + "\",\"y\":\""
                    + base64(ec.getW().getAffineY()) + "\"";
        }
        EdECPublicKey ed = (EdECPublicKey) pair.getPublic();
        byte[] bigEndian = bytes(ed.getPoint().getY());
        byte[] x = new byte[32];
        for (int i = 0; i < bigEndian.length; i++) {
            x[i] = bigEndian[bigEndian.length - 1 - i];
        }
        x[31] |= ed.getPoint().isXOdd() ? (byte) 0x80 : 0;
        return "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" + base64(x) + "\"";
    }

    String token(String payload) {
        return token("{\"alg\":\"" + alg + "\",\"kid\":\"" + kid + "\"}", payload);
    }

    String token(String header, String payload) {
        String signed = base64(header.getBytes(StandardCharsets.UTF_8)) + '.' + base64(payload.getBytes(StandardCharsets.UTF_8));
        return signed + '.' + base64(sign(signed.getBytes(StandardCharsets.US_ASCII)));
    }

    private byte[] sign(byte[] signed) {
        try {
            String bits = alg.equals("EdDSA") ? "" : alg.substring(2);
            if (pair == null) {
                Mac mac = Mac.getInstance("HmacSHA" + bits);
                mac.init(new SecretKeySpec(secret, "HMAC"));
                return mac.doFinal(signed);
            }
            Signature signature = switch (alg.substring(0, 2)) {
                case "RS" -> Signature.getInstance("SHA" + bits + "withRSA");
                case "PS" -> Signature.getInstance("RSASSA-PSS");
                case "ES" -> Signature.getInstance("SHA" + bits + "withECDSAinP1363Format");
                default -> Signature.getInstance("Ed25519");
            };
            if (alg.startsWith("PS")) {
                signature.setParameter(new PSSParameterSpec(
                        "SHA-" + bits, "MGF1", new MGF1ParameterSpec("SHA-" + bits), Integer.parseInt(bits) / 8, 1));
            }
            signature.initSign(pair.getPrivate());
            signature.update(signed);
            return signature.sign();
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private static String base64(BigInteger number) {
        return base64(bytes(number));
    }

    private static byte[] bytes(BigInteger number) {
        byte[] bytes = number.toByteArray();
        return bytes[0] == 0 && bytes.length > 1 ? Arrays.copyOfRange(bytes, 1, bytes.length) : bytes;
    }

    static String base64(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }
}
