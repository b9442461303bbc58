package io.weft.dataplane.jwt;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whatever a client says is its token is read or malformed, and whatever a key server sends is keys or none: nothing else is thrown. */
class TokenFuzzTest {
    private static final String[] PIECES = {
        "{", "}", "[", "]", ":", ",", "\"alg\"", "\"RS256\"", "\"none\"", "\"kid\"", "\"iss\"", "\"exp\"", "\"aud\"", "\"keys\"", "\"kty\"",
        "\"EC\"", "\"crv\"", "\"P-256\"", "\"x\"", "\"y\"", "\"n\"", "\"e\"", "\"AQAB\"", "1", "-1e999", "1.5", "null", "true", "\"\\u00", "\\", "\"", " "
    };

    @FuzzTest(maxDuration = "10m")
    void anyToken(FuzzedDataProvider data) {
        read(data.consumeRemainingAsString());
    }

    @FuzzTest(maxDuration = "10m")
    void anyKeys(FuzzedDataProvider data) {
        assertThat(JsonWebKeys.parse(data.consumeRemainingAsString())).isNotNull();
    }

    @Test
    @Timeout(120)
    void severalThousandOfEach() {
        Random random = new Random(23);
        for (int i = 0; i < 20_000; i++) {
            String header = json(random);
            read(encoded(random.nextInt(4) == 0 ? header : "{\"alg\":\"RS256\"}") + "." + encoded(json(random)) + "." + encoded(json(random)));
            assertThat(JsonWebKeys.parse(random.nextBoolean() ? header : "{\"keys\":[{" + header + "}]}")).isNotNull();
        }
    }

    @Test
    @Timeout(60)
    void nestingWithoutEnd() {
        read(encoded("{\"alg\":" + "[".repeat(100_000)) + ".e30.e30");
        assertThat(JsonWebKeys.parse("{\"keys\":" + "[".repeat(100_000))).isNotNull();
    }

    private static String json(Random random) {
        StringBuilder json = new StringBuilder(random.nextInt(3) == 0 ? "" : "{");
        for (int i = random.nextInt(12); i > 0; i--) {
            json.append(PIECES[random.nextInt(PIECES.length)]);
        }
        return json.append(random.nextInt(3) == 0 ? "" : "}").toString();
    }

    private static String encoded(String text) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private static void read(String token) {
        try {
            assertThat(Jwt.parse(token)).isNotNull();
        } catch (Jwt.Malformed malformed) {
            assertThat(malformed).isNotNull();
        }
    }
}
