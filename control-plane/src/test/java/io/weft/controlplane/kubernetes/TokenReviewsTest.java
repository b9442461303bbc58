package io.weft.controlplane.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.authentication.TokenReview;
import io.fabric8.kubernetes.api.model.authentication.TokenReviewBuilder;
import io.grpc.Status;
import io.weft.controlplane.token.Bearer;
import io.weft.controlplane.token.PodToken;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the API server is asked, for whom and how often. */
class TokenReviewsTest {

    private static final Instant NOW = Instant.parse("2026-11-26T12:00:00Z");
    private static final String ATTACKER = "10.0.0.66";

    private final AtomicLong nanos = new AtomicLong();
    private final Queue<Runnable> waiting = new ArrayDeque<>();
    private final List<String> asked = new ArrayList<>();
    private final TokenReviews reviews =
            new TokenReviews(this::review, waiting::add, nanos::get, Clock.fixed(NOW, ZoneOffset.UTC));

    private TokenReview review(TokenReview review) {
        asked.add(review.getSpec().getToken());
        return new TokenReviewBuilder()
                .withNewStatus()
                .withAuthenticated(true)
                .withAudiences("weft")
                .withNewUser()
                .withUsername("system:serviceaccount:shop:orders")
                .addToExtra("authentication.kubernetes.io/pod-name", List.of("orders-1"))
                .addToExtra("authentication.kubernetes.io/pod-uid", List.of("uid"))
                .endUser()
                .endStatus()
                .build();
    }

    private CompletableFuture<Bearer> authenticate(String token, String host) {
        return reviews.authenticate(Optional.of(token), host).toCompletableFuture();
    }

    private static String token() {
        return MockCluster.unknownToken("weft", NOW.plusSeconds(600));
    }

    private void answerAll() {
        for (Runnable next = waiting.poll(); next != null; next = waiting.poll()) {
            next.run();
        }
    }

    @Test
    void aTokenThatMayBeGoodIsAskedAboutOnceInAWhile() {
        String token = token();
        CompletableFuture<Bearer> first = authenticate(token, "10.0.0.1");
        CompletableFuture<Bearer> second = authenticate(token, "10.0.0.1");
        answerAll();
        assertThat(first.join().proof()).contains(new PodToken("shop", "orders", "orders-1", "uid"));
        assertThat(second.join()).isEqualTo(first.join());
        assertThat(asked).containsExactly(token);

        nanos.addAndGet(TokenReviews.KEPT.toNanos());
        authenticate(token, "10.0.0.1");
        answerAll();
        assertThat(asked).hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"bad", "a.b.c", "..", "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJSUzI1NiJ9.e30.eA", "eyJhbGciOiJSUzI1NiJ9.bm8.eA"})
    void whatIsNoTokenForUsIsNotAskedAbout(String token) {
        Bearer bearer = authenticate(token, ATTACKER).join();
        assertThat(bearer.proof()).isEmpty();
        assertThat(bearer.complaint()).startsWith("the token is no").doesNotContain(token);
        assertThat(waiting).isEmpty();
    }

    @Test
    void whatIsForOthersOrHasExpiredIsNotAskedAbout() {
        assertThat(authenticate(MockCluster.unknownToken("https://kubernetes.default.svc", NOW.plusSeconds(600)), ATTACKER).join().complaint())
                .isEqualTo("the token is not for audience weft");
        assertThat(authenticate(MockCluster.unknownToken("weft", NOW.minus(Duration.ofMinutes(2))), ATTACKER).join().complaint())
                .startsWith("the token has expired on");
        assertThat(waiting).isEmpty();

        // Clocks differ by some seconds.
        authenticate(MockCluster.unknownToken("weft", NOW.minusSeconds(20)), ATTACKER);
        assertThat(waiting).hasSize(1);
    }

    @Test
    void oneHostKeepsNoOtherWaiting() {
        for (int i = 0; i < TokenReviews.MAX_ASKED_FOR_ONE; i++) {
            assertThat(authenticate(token(), ATTACKER)).isNotDone();
        }
        String more = token();
        assertThat(code(authenticate(more, ATTACKER))).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(authenticate(token(), "10.0.0.1")).as("of another one").isNotDone();
        assertThat(waiting).hasSize(TokenReviews.MAX_ASKED_FOR_ONE + 1);

        answerAll();
        CompletableFuture<Bearer> again = authenticate(more, ATTACKER);
        answerAll();
        assertThat(again.join().proof()).as("once its others are answered").isPresent();
    }

    private static Status.Code code(CompletableFuture<Bearer> answer) {
        assertThat(answer).isCompletedExceptionally();
        try {
            answer.join();
            throw new AssertionError("it has failed");
        } catch (CompletionException e) {
            return Status.fromThrowable(e).getCode();
        }
    }
}
