package io.weft.dataplane.jwt;

import io.weft.dataplane.HeaderOverlay;
import io.weft.dataplane.HttpStream;
import io.weft.dataplane.jwt.TokenLocations.Found;
import io.weft.dataplane.route.TextTest;
import io.weft.policy.model.JwtAuthentication;
import io.weft.policy.model.JwtAuthentication.ClaimHeader;
import io.weft.policy.model.JwtAuthentication.Claims;
import io.weft.policy.model.JwtAuthentication.Forwarding;
import io.weft.policy.model.JwtAuthentication.PayloadHeader;
import io.weft.policy.model.JwtAuthentication.PayloadMetadata;
import io.weft.policy.model.JwtAuthentication.Provider;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A {@link Provider} made ready: whether a token is good, and what the app is given of it. Thread-safe. */
final class TokenCheck {
    private final Claims claims;
    private final Forwarding forwarding;
    private final KeySource keys;
    /** Null: any. */
    private final TextTest subject;

    TokenCheck(Provider provider, KeySource keys) {
        claims = provider.claims();
        forwarding = provider.forwarding();
        subject = claims.subject().map(TextTest::of).orElse(null);
        this.keys = keys;
    }

    String issuer() {
        return claims.issuer();
    }

    KeySource keys() {
        return keys;
    }

    /**
     * In Envoy's order, the signature last.
     *
     * @param audiences in place of the provider's; empty: the provider's
     * @param now seconds since 1970
     */
    JwtStatus check(Jwt jwt, List<String> audiences, long now) {
        long skew = claims.clockSkew().toSeconds();
        if (now + skew < jwt.notBefore()) {
            return JwtStatus.NOT_YET_VALID;
        }
        if (jwt.expiration() != 0 && now > jwt.expiration() + skew) {
            return JwtStatus.EXPIRED;
        }
        if (subject != null && !subject.matches(jwt.subject()) || !lifetimeAllowed(jwt, now)) {
            return JwtStatus.VERIFICATION_FAILS;
        }
        List<String> allowed = audiences.isEmpty() ? claims.audiences() : audiences;
        if (!allowed.isEmpty() && jwt.audiences().stream().noneMatch(audience -> isAllowed(allowed, audience))) {
            return JwtStatus.AUDIENCE_NOT_ALLOWED;
        }
        JsonWebKeys current = keys.keys();
        return current.isEmpty() ? keys.withoutKeys() : current.verify(jwt);
    }

    private boolean lifetimeAllowed(Jwt jwt, long now) {
        if (claims.maxLifetime().isPresent()) {
            Duration lifetime = Duration.ofSeconds(jwt.expiration()).minusSeconds(now);
            return jwt.expiration() != 0 && lifetime.compareTo(claims.maxLifetime().get()) < 0;
        }
        return !claims.requireExpiration() || jwt.expiration() != 0;
    }

    /** With or without scheme and trailing slash, as in Envoy. */
    private static boolean isAllowed(List<String> allowed, String audience) {
        for (int i = 0; i < allowed.size(); i++) {
            if (bare(allowed.get(i)).equals(bare(audience))) {
                return true;
            }
        }
        return false;
    }

    private static String bare(String audience) {
        int from = audience.startsWith("https://") ? 8 : audience.startsWith("http://") ? 7 : 0;
        int to = audience.endsWith("/") && audience.length() > from ? audience.length() - 1 : audience.length();
        return audience.substring(from, to);
    }

    /** What only a good token may say is taken out of the request before any is looked at. */
    void sanitize(HttpStream stream) {
        forwarding.payloadHeader().ifPresent(header -> stream.requestHeaders().remove(header.name()));
        for (ClaimHeader claim : forwarding.claims()) {
            stream.requestHeaders().remove(claim.header());
        }
    }

    /** The token is good. */
    void forward(HttpStream stream, Found found, Jwt jwt) {
        if (forwarding.payloadHeader().isPresent()) {
            PayloadHeader header = forwarding.payloadHeader().get();
            String payload = jwt.encodedPayload();
            String padding = header.padded() ? "=".repeat((4 - payload.length() % 4) % 4) : "";
            stream.requestHeaders().append(header.name(), payload + padding);
        }
        for (ClaimHeader claim : forwarding.claims()) {
            String value = text(jwt.claims(), claim.claim());
            if (!value.isEmpty()) {
                HeaderOverlay headers = stream.requestHeaders();
                headers.append(claim.header(), value);
            }
        }
        if (forwarding.metadata().isPresent()) {
            PayloadMetadata metadata = forwarding.metadata().get();
            stream.putMetadata(JwtAuthentication.METADATA, metadata.key(), withLists(jwt.claims(), metadata.lists()));
        }
        if (!forwarding.keepToken()) {
            found.removeFrom(stream);
        }
    }

    private static Map<String, Object> withLists(Map<String, Object> claims, List<String> lists) {
        Map<String, Object> payload = claims;
        for (String name : lists) {
            if (claims.get(name) instanceof String text && !text.replace(" ", "").isEmpty()) {
                if (payload == claims) {
                    payload = new HashMap<>(claims);
                }
                payload.put(name, Arrays.stream(text.split(" ")).filter(part -> !part.isEmpty()).toList());
            }
        }
        return payload;
    }

    /** Empty when it is not there or no text, number or boolean. */
    private static String text(Map<String, Object> claims, List<String> path) {
        Object value = claims;
        for (String name : path) {
            value = value instanceof Map<?, ?> object ? object.get(name) : null;
        }
        if (value instanceof String text) {
            // What a header cannot hold is no header, and must not become two.
            return text.chars().anyMatch(c -> c < ' ' && c != '\t' || c == 0x7f) ? "" : text;
        }
        if (value instanceof Boolean bool) {
            return bool.toString();
        }
        return value instanceof Double number ? text(number) : "";
    }

    /** Whole numbers as such, others with six decimals, as C++ writes them. */
    private static String text(double number) {
        boolean whole = number >= 0 && number < 0x1p63 && number == Math.rint(number);
        return whole ? Long.toString((long) number) : String.format(Locale.ROOT, "%f", number);
    }
}
