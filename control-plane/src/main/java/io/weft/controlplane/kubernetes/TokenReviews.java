package io.weft.controlplane.kubernetes;

import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import io.fabric8.kubernetes.api.model.authentication.TokenReview;
import io.fabric8.kubernetes.api.model.authentication.TokenReviewBuilder;
import io.fabric8.kubernetes.api.model.authentication.TokenReviewStatus;
import io.fabric8.kubernetes.api.model.authentication.UserInfo;
import io.grpc.Status;
import io.weft.controlplane.token.Authenticator;
import io.weft.controlplane.token.Bearer;
import io.weft.controlplane.token.PodToken;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.text.ParseException;
import java.time.Clock;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the API server whose a token is ({@code authentication.k8s.io/v1 TokenReview}). A token must have been made for this control
 * plane, by its audience, and be bound to a pod. Where the API server cannot say, nobody is let in. Thread-safe.
 *
 * <p>An answer is kept for {@link #KEPT}, so that the calls with which an agent begins cost one review. It is no longer than a deleted
 * pod may go on: what a stream is let in for hangs on the pod, not on the answer.
 *
 * <p>What says itself that it is for somebody else or has expired is not asked about, and no host may have more than
 * {@value #MAX_ASKED_FOR_ONE} questions under way, so that tokens that are worth nothing keep nobody else waiting.
 */
final class TokenReviews implements Authenticator {

    static final String AUDIENCE = "weft";
    static final Duration KEPT = Duration.ofSeconds(10);

    private static final Logger LOG = LoggerFactory.getLogger(TokenReviews.class);
    private static final int MAX_KEPT = 50_000;
    private static final int MAX_CHARS = 16_384;
    /** Pods that start together behind one address, as some networks have it, come again after a moment. */
    static final int MAX_ASKED_FOR_ONE = 32;
    private static final Duration CLOCK_SKEW = Duration.ofMinutes(1);
    private static final String SERVICE_ACCOUNT = "system:serviceaccount:";
    private static final String POD_NAME = "authentication.kubernetes.io/pod-name";
    private static final String POD_UID = "authentication.kubernetes.io/pod-uid";

    private final UnaryOperator<TokenReview> api;
    private final Executor executor;
    private final LongSupplier nanoTime;
    private final Clock clock;
    /** Questions under way, by the host for which they are asked. */
    private final Map<String, Integer> asked = new ConcurrentHashMap<>();
    /** By the token's hash: memory that is read holds none. */
    private final Map<String, Kept> kept = new ConcurrentHashMap<>();

    private record Kept(CompletableFuture<Bearer> answer, long until) {

        boolean isGoodAt(long now) {
            return until - now > 0 && !answer.isCompletedExceptionally();
        }
    }

    /**
     * @param api asks, and blocks; throws if nothing is answered
     * @param executor for as many questions at once as the API server is to be asked
     * @param clock by which tokens expire
     */
    TokenReviews(UnaryOperator<TokenReview> api, Executor executor, LongSupplier nanoTime, Clock clock) {
        this.api = api;
        this.executor = executor;
        this.nanoTime = nanoTime;
        this.clock = clock;
    }

    @Override
    public CompletionStage<Bearer> authenticate(Optional<String> token, String host) {
        if (token.isEmpty()) {
            return CompletableFuture.completedStage(Bearer.nobody("no token came: mount a service account's token with audience "
                    + AUDIENCE + ", and give its file to the agent as WEFT_CONTROL_PLANE_TOKEN_FILE"));
        }
        if (token.get().length() > MAX_CHARS) {
            return CompletableFuture.completedStage(Bearer.nobody("the token is longer than " + MAX_CHARS + " characters"));
        }
        Optional<String> worthless = complaint(token.get());
        if (worthless.isPresent()) {
            return CompletableFuture.completedStage(Bearer.nobody(worthless.get()));
        }
        String hash = hash(token.get());
        long now = nanoTime.getAsLong();
        Kept answer = kept.compute(hash, (key, old) -> old != null && old.isGoodAt(now) ? old : ask(token.get(), host, now));
        if (answer.answer.isCompletedExceptionally()) {
            kept.remove(hash, answer);
        }
        if (kept.size() > MAX_KEPT) {
            kept.values().removeIf(each -> !each.isGoodAt(now));
        }
        return answer.answer;
    }

    /** Why a token is worth nothing by what it says itself, which is not believed for anything else; empty: nothing speaks against it. */
    private Optional<String> complaint(String token) {
        JWTClaimsSet claims;
        try {
            claims = SignedJWT.parse(token).getJWTClaimsSet();
        } catch (ParseException | IllegalArgumentException | IllegalStateException e) {
            // Not its message, which may quote the token.
            return Optional.of("the token is no JSON Web Token: use a projected one of a service account");
        }
        if (!claims.getAudience().contains(AUDIENCE)) {
            return Optional.of("the token is not for audience " + AUDIENCE);
        }
        if (claims.getExpirationTime() == null) {
            return Optional.of("the token does not expire: use a projected one, not one of a Secret");
        }
        return claims.getExpirationTime().toInstant().plus(CLOCK_SKEW).isBefore(clock.instant())
                ? Optional.of("the token has expired on " + claims.getExpirationTime().toInstant())
                : Optional.empty();
    }

    private Kept ask(String token, String host, long now) {
        if (asked.merge(host, 1, Integer::sum) > MAX_ASKED_FOR_ONE) {
            answered(host);
            return new Kept(CompletableFuture.failedFuture(
                    unavailable("too many tokens from " + host + " are being reviewed; try again")), now);
        }
        CompletableFuture<Bearer> answer;
        try {
            answer = CompletableFuture.supplyAsync(() -> review(token), executor);
        } catch (RejectedExecutionException e) {
            answer = CompletableFuture.failedFuture(unavailable("too many tokens are being reviewed; try again"));
        }
        answer.whenComplete((bearer, failure) -> answered(host));
        return new Kept(answer, now + KEPT.toNanos());
    }

    private void answered(String host) {
        asked.computeIfPresent(host, (key, number) -> number == 1 ? null : number - 1);
    }

    private Bearer review(String token) {
        TokenReviewStatus status;
        try {
            TokenReview answer = api.apply(new TokenReviewBuilder()
                    .withNewSpec()
                    .withToken(token)
                    .withAudiences(AUDIENCE)
                    .endSpec()
                    .build());
            status = answer == null ? null : answer.getStatus();
        } catch (RuntimeException e) {
            // Not with the exception as a whole: what it quotes may be the request.
            LOG.warn("the API server does not say whose a token is: {}", e.getMessage());
            throw unavailable("the API server does not say whose the token is; try again");
        }
        if (status == null) {
            throw unavailable("the API server does not say whose the token is; try again");
        }
        return bearer(status);
    }

    private static Bearer bearer(TokenReviewStatus status) {
        if (!Boolean.TRUE.equals(status.getAuthenticated()) || status.getUser() == null) {
            return Bearer.nobody("the API server does not accept the token"
                    + (status.getError() == null || status.getError().isEmpty() ? "" : ": " + status.getError()));
        }
        // An API server that knows no audiences answers with none, for a token that may be for anybody.
        if (status.getAudiences() == null || !status.getAudiences().contains(AUDIENCE)) {
            return Bearer.nobody("the token is not for audience " + AUDIENCE);
        }
        UserInfo user = status.getUser();
        String name = user.getUsername() == null ? "" : user.getUsername();
        String[] parts = name.startsWith(SERVICE_ACCOUNT) ? name.substring(SERVICE_ACCOUNT.length()).split(":") : new String[0];
        Optional<String> pod = extra(user, POD_NAME);
        Optional<String> uid = extra(user, POD_UID);
        if (parts.length != 2 || pod.isEmpty() || uid.isEmpty()) {
            return Bearer.nobody("the token of " + name + " is not bound to a pod: use a projected one, not one of a Secret");
        }
        return Bearer.of(new PodToken(parts[0], parts[1], pod.get(), uid.get()));
    }

    private static Optional<String> extra(UserInfo user, String key) {
        List<String> values = user.getExtra() == null ? null : user.getExtra().get(key);
        return values == null || values.size() != 1 ? Optional.empty() : Optional.of(values.get(0));
    }

    private static RuntimeException unavailable(String message) {
        return Status.UNAVAILABLE.withDescription(message).asRuntimeException();
    }

    private static String hash(String token) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
