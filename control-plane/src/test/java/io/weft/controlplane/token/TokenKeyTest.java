package io.weft.controlplane.token;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenKeyTest {

    private static final Instant NOW = Instant.parse("2026-11-25T12:00:00Z");
    private static final Duration HOUR = Duration.ofHours(1);

    @TempDir
    private Path state;

    private TokenKey key(Instant now) throws IOException {
        return TokenKey.in(state, Clock.fixed(now, ZoneOffset.UTC));
    }

    @Test
    void aTokenProvesMeshAndServiceUntilItExpires() throws Exception {
        String token = key(NOW).issue("default", "orders", HOUR);

        Token proved = key(NOW).verify(token);
        assertThat(proved).isEqualTo(new Token(proved.id(), "default", "orders", NOW.plus(HOUR)));
        assertThat(key(NOW).verify(key(NOW).issue("default", "orders", HOUR)).id()).isNotEqualTo(proved.id());
        assertThat(key(NOW.plus(HOUR).minusSeconds(1)).verify(token).service()).isEqualTo("orders");
        TokenKey later = key(NOW.plus(HOUR));
        assertThatThrownBy(() -> later.verify(token)).hasMessageContaining("has expired on 2026-11-25T13:00:00Z");
        TokenKey earlier = key(NOW.minus(HOUR));
        assertThatThrownBy(() -> earlier.verify(token)).hasMessageContaining("compare the machines' clocks");
    }

    @Test
    void whatThisControlPlaneDidNotSignProvesNothing() throws Exception {
        String token = key(NOW).issue("default", "orders", HOUR);
        String[] parts = token.split("\\.");
        String other = TokenKey.in(state.resolve("other"), Clock.fixed(NOW, ZoneOffset.UTC)).issue("default", "orders", HOUR);
        String claims = new String(Base64.getUrlDecoder().decode(parts[1]), StandardCharsets.UTF_8);
        String changed = parts[0] + "." + encode(claims.replace("orders", "admin")) + "." + parts[2];
        String unsigned = encode("{\"alg\":\"none\"}") + "." + parts[1] + ".";
        String symmetric = encode("{\"alg\":\"HS256\"}") + "." + parts[1] + "." + parts[2];
        TokenKey key = key(NOW);
        for (String forged : new String[] {other, changed, unsigned, symmetric, "", "a.b.c", "x".repeat(9_000)}) {
            assertThatThrownBy(() -> key.verify(forged)).as(forged).isInstanceOf(InvalidTokenException.class);
        }
    }

    private static String encode(String text) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void theKeyIsItsOwnersOnly() throws IOException {
        key(NOW);
        Path file = state.resolve("token/signing-key.json");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file))).isEqualTo("rw-------");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        assertThatThrownBy(() -> key(NOW)).hasMessageContaining("is open to others");
    }
}
