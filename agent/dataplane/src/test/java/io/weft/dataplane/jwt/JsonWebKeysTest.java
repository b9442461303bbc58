package io.weft.dataplane.jwt;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonWebKeysTest {
    private static final String PAYLOAD = "{\"iss\":\"i\"}";

    private static JwtStatus verify(String jwks, String token) throws Jwt.Malformed {
        return JsonWebKeys.parse(jwks).verify(Jwt.parse(token));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512"
    })
    void verifiesWithEachAlgorithm(String alg) throws Jwt.Malformed {
        Tokens issuer = Tokens.issuer(alg, "k");
        String token = issuer.token(PAYLOAD);

        assertThat(verify(issuer.jwks(), token)).isEqualTo(JwtStatus.OK);
        assertThat(verify(issuer.jwks().replace("\"alg\":\"" + alg + "\",", ""), token)).isEqualTo(JwtStatus.OK);

        String[] parts = token.split("\\.");
        String other = Tokens.base64("{\"iss\":\"other\"}".getBytes(StandardCharsets.US_ASCII));
        assertThat(verify(issuer.jwks(), parts[0] + '.' + other + '.' + parts[2])).isEqualTo(JwtStatus.VERIFICATION_FAILS);
        assertThat(verify(issuer.jwks(), parts[0] + '.' + parts[1] + '.' + parts[2].substring(8)))
                .isIn(JwtStatus.VERIFICATION_FAILS, JwtStatus.ED25519_SIGNATURE_WRONG_LENGTH);
    }

    @Test
    void aKeyIsChosenByItsNameAndAlgorithm() throws Jwt.Malformed {
        Tokens first = Tokens.issuer("ES256", "1");
        Tokens second = Tokens.issuer("ES256", "2");
        String both = "{\"keys\":[" + first.jwk() + "," + second.jwk() + "]}";
        String withoutKid = second.token("{\"alg\":\"ES256\"}", PAYLOAD);

        assertThat(verify(both, second.token(PAYLOAD))).isEqualTo(JwtStatus.OK);
        assertThat(verify(both, withoutKid)).isEqualTo(JwtStatus.OK);
        assertThat(verify(first.jwks(), second.token(PAYLOAD))).isEqualTo(JwtStatus.NO_KEY_MATCHES);
        assertThat(verify(first.jwks(), second.token("{\"alg\":\"ES256\",\"kid\":\"1\"}", PAYLOAD)))
                .isEqualTo(JwtStatus.VERIFICATION_FAILS);
        assertThat(verify(first.jwks(), first.token("{\"alg\":\"ES384\",\"kid\":\"1\"}", PAYLOAD)))
                .isEqualTo(JwtStatus.NO_KEY_MATCHES);
    }

    @Test
    void aPublicKeyIsNoSharedSecret() throws Jwt.Malformed {
        Tokens rsa = Tokens.issuer("RS256", "k");
        String anyAlgorithm = rsa.jwks().replace("\"alg\":\"RS256\",", "");

        assertThat(verify(anyAlgorithm, Tokens.issuer("HS256", "k").token(PAYLOAD))).isEqualTo(JwtStatus.VERIFICATION_FAILS);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", "x", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[]}", "{\"keys\":[1]}", "{\"keys\":[{}]}", "{\"keys\":[{\"kty\":\"EC\"}]}",
        "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQ\"}]}", "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"!\",\"e\":\"AQAB\"}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-1\",\"x\":\"AQ\",\"y\":\"AQ\"}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"ES384\",\"x\":\"AQ\",\"y\":\"AQ\"}]}",
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AQ\"}]}", "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"AQ\"}]}",
        "{\"keys\":[{\"kty\":\"unknown\"}]}", "{\"keys\":[{\"kty\":\"oct\"}]}", "{\"keys\":[{\"kty\":\"oct\",\"k\":7}]}"
    })
    void aSetWithoutAKeyThatIsUnderstoodVerifiesNothing(String jwks) throws Jwt.Malformed {
        assertThat(JsonWebKeys.parse(jwks).isEmpty()).isTrue();
        assertThat(verify(jwks, Tokens.issuer("ES256", "k").token(PAYLOAD))).isEqualTo(JwtStatus.NO_VALID_KEYS);
    }

    @Test
    void aKeyThatIsNotUnderstoodIsLeftOut() throws Jwt.Malformed {
        Tokens issuer = Tokens.issuer("ES256", "k");

        assertThat(verify("{\"keys\":[{\"kty\":\"unknown\"}," + issuer.jwk() + "]}", issuer.token(PAYLOAD))).isEqualTo(JwtStatus.OK);
    }
}
