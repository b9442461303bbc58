package io.weft.dataplane.jwt;

import io.weft.dataplane.jwt.JsonReader.JsonException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/**
 * A JSON Web Token (RFC 7519) in compact form, read but not verified.
 *
 * @param kid empty without one
 * @param issuer empty without one
 * @param subject empty without one
 * @param notBefore seconds since 1970, 0 without one
 * @param expiration seconds since 1970, 0 without one
 * @param encodedPayload as it came, in base64url
 * @param signedPart what the signature is of
 */
record Jwt(
        String alg,
        String kid,
        String issuer,
        String subject,
        List<String> audiences,
        long notBefore,
        long expiration,
        Map<String, Object> claims,
        String encodedPayload,
        byte[] signedPart,
        byte[] signature) {
    /** The largest integers that a JSON number holds exactly are smaller; Envoy's bound. */
    private static final double TOO_LARGE = 0x1p63;

    /** The token is malformed. */
    static final class Malformed extends Exception {
        private final JwtStatus status;

        Malformed(JwtStatus status) {
            super(status.text(), null, false, false);
            this.status = status;
        }

        JwtStatus status() {
            return status;
        }
    }

    static Jwt parse(String token) throws Malformed {
        int first = token.indexOf('.');
        int second = token.indexOf('.', first + 1);
        if (first <= 0 || second <= first + 1 || second + 1 == token.length() || token.indexOf('.', second + 1) >= 0) {
            throw new Malformed(JwtStatus.BAD_FORMAT);
        }
        String payload = token.substring(first + 1, second);
        Map<String, Object> header =
                json(token.substring(0, first), JwtStatus.HEADER_BAD_BASE64, JwtStatus.HEADER_BAD_JSON);
        if (!(header.get("alg") instanceof String alg)) {
            throw new Malformed(JwtStatus.HEADER_BAD_ALG);
        }
        if (!Algorithm.isKnown(alg)) {
            throw new Malformed(JwtStatus.ALG_NOT_SUPPORTED);
        }
        String kid = text(header, "kid", JwtStatus.HEADER_BAD_KID);
        Map<String, Object> claims = json(payload, JwtStatus.PAYLOAD_BAD_BASE64, JwtStatus.PAYLOAD_BAD_JSON);
        String issuer = text(claims, "iss", JwtStatus.ISS_NOT_STRING);
        String subject = text(claims, "sub", JwtStatus.SUB_NOT_STRING);
        seconds(claims, "iat", JwtStatus.IAT_NOT_INTEGER, JwtStatus.IAT_OUT_OF_RANGE);
        long notBefore = seconds(claims, "nbf", JwtStatus.NBF_NOT_INTEGER, JwtStatus.NBF_OUT_OF_RANGE);
        long expiration = seconds(claims, "exp", JwtStatus.EXP_NOT_INTEGER, JwtStatus.EXP_OUT_OF_RANGE);
        text(claims, "jti", JwtStatus.JTI_NOT_STRING);
        List<String> audiences = audiences(claims);
        byte[] signature = base64(token.substring(second + 1), JwtStatus.SIGNATURE_BAD_BASE64);
        return new Jwt(
                alg,
                kid,
                issuer,
                subject,
                audiences,
                notBefore,
                expiration,
                claims,
                payload,
                token.substring(0, second).getBytes(StandardCharsets.ISO_8859_1),
                signature);
    }

    private static Map<String, Object> json(String encoded, JwtStatus badBase64, JwtStatus badJson) throws Malformed {
        byte[] bytes = base64(encoded, badBase64);
        try {
            return JsonReader.object(StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
        } catch (JsonException | CharacterCodingException e) {
            throw new Malformed(badJson);
        }
    }

    private static byte[] base64(String encoded, JwtStatus bad) throws Malformed {
        try {
            return Base64.getUrlDecoder().decode(encoded);
        } catch (IllegalArgumentException e) {
            throw new Malformed(bad);
        }
    }

    private static String text(Map<String, Object> object, String name, JwtStatus bad) throws Malformed {
        Object value = object.get(name);
        if (value == null) {
            return "";
        }
        if (value instanceof String text) {
            return text;
        }
        throw new Malformed(bad);
    }

    private static long seconds(Map<String, Object> claims, String name, JwtStatus bad, JwtStatus outOfRange)
            throws Malformed {
        Object value = claims.get(name);
        if (value == null) {
            return 0;
        }
        if (!(value instanceof Double number)) {
            throw new Malformed(bad);
        }
        if (!(number >= 0 && number < TOO_LARGE)) {
            throw new Malformed(outOfRange);
        }
        return number.longValue();
    }

    private static List<String> audiences(Map<String, Object> claims) throws Malformed {
        Object value = claims.get("aud");
        if (value == null) {
            return List.of();
        }
        if (value instanceof String one) {
            return List.of(one);
        }
        if (value instanceof List<?> several && several.stream().allMatch(String.class::isInstance)) {
            return several.stream().map(String.class::cast).toList();
        }
        throw new Malformed(JwtStatus.AUD_NOT_STRING);
    }
}
