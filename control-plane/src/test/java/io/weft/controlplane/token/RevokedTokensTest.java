package io.weft.controlplane.token;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RevokedTokensTest {

    private static final Token FIRST = token("first");
    private static final Token SECOND = token("second");
    private static final Token THIRD = token("third");

    @TempDir
    private Path state;

    private Path file;

    private static Token token(String id) {
        return new Token(id, "default", "orders", Instant.parse("2026-11-25T12:00:00Z"));
    }

    @BeforeEach
    void folder() throws IOException {
        file = Files.createDirectories(state.resolve("token")).resolve("revoked");
    }

    @Test
    void aTokenIsRevokedForAControlPlaneThatRuns() throws IOException {
        RevokedTokens revoked = RevokedTokens.in(state);
        assertThat(revoked.contains(FIRST)).isFalse();
        RevokedTokens.revoke(state, FIRST);
        assertThat(revoked.changed()).isTrue();
        assertThat(revoked.contains(FIRST)).isTrue();
        assertThat(revoked.contains(SECOND)).isFalse();
        assertThat(revoked.changed()).isFalse();
    }

    /** As editors and {@code printf} leave it: whoever wrote the line means it. */
    @Test
    void theLastLineCountsWithoutItsEnd() throws IOException {
        Files.writeString(file, "first\nsecond of somebody");
        assertThat(RevokedTokens.in(state).contains(FIRST)).isTrue();
        assertThat(RevokedTokens.in(state).contains(SECOND)).isTrue();
    }

    @Test
    void whatIsAddedIsALineOfItsOwnWhateverWasThere() throws IOException {
        Files.writeString(file, "first");
        RevokedTokens.revoke(state, SECOND);
        RevokedTokens.revoke(state, THIRD);
        RevokedTokens revoked = RevokedTokens.in(state);
        assertThat(revoked.contains(FIRST)).isTrue();
        assertThat(revoked.contains(SECOND)).isTrue();
        assertThat(revoked.contains(THIRD)).isTrue();
    }

    @Test
    void whatCannotBeReadLeavesAllAsItWas() throws IOException {
        RevokedTokens.revoke(state, FIRST);
        RevokedTokens revoked = RevokedTokens.in(state);
        Files.delete(file);
        Files.createDirectory(file);
        assertThat(revoked.changed()).isFalse();
        assertThat(revoked.contains(FIRST)).isTrue();
    }
}
