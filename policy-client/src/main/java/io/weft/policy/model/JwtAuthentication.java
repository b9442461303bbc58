package io.weft.policy.model;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * {@code envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication}.
 *
 * @param providers by name
 * @param rules the first whose match holds decides
 * @param requirements by the name under which a route asks for one
 * @param bypassCorsPreflight a preflight request needs no token
 * @param stripFailureResponse a refusal says nothing but its status
 */
public record JwtAuthentication(
        Map<String, Provider> providers,
        List<Rule> rules,
        Map<String, Requirement> requirements,
        boolean bypassCorsPreflight,
        boolean stripFailureResponse) {

    /** By this name filters that follow find what it puts into a request's metadata. */
    public static final String METADATA = "envoy.filters.http.jwt_authn";

    public JwtAuthentication {
        providers = Map.copyOf(providers);
        rules = List.copyOf(rules);
        requirements = Map.copyOf(requirements);
    }

    public record Rule(RouteMatch match, Requirement requirement) {}

    /** {@code JwtProvider}. */
    public record Provider(Claims claims, Keys keys, Locations locations, Forwarding forwarding) {}

    /**
     * What of a token is checked beside its signature.
     *
     * @param issuer empty: any
     * @param audiences one of them must be in the token; empty: not checked
     * @param maxLifetime from now to the expiration
     */
    public record Claims(
            String issuer,
            List<String> audiences,
            Optional<StringMatch> subject,
            Duration clockSkew,
            boolean requireExpiration,
            Optional<Duration> maxLifetime) {
        public Claims {
            audiences = List.copyOf(audiences);
        }
    }

    public sealed interface Keys {}

    /** A JSON Web Key Set. */
    public record InlineKeys(String jwks) implements Keys {
        /** Members of a key that are not public (RFC 7518, section 6), or may be, as names can be written by escapes. */
        private static final Pattern SECRET = Pattern.compile("\"(k|d|p|q|dp|dq|qi|oth)\"\\s*:|\\\\");

        /** Also of what no key can be made of. */
        public boolean holdsSecret() {
            return SECRET.matcher(jwks).find();
        }
    }

    /** A JSON Web Key Set in a file, read when the policy comes into force. */
    public record FileKeys(String path) implements Keys {}

    /**
     * A JSON Web Key Set at an HTTP address, fetched in the background.
     *
     * @param cluster through whose endpoints
     * @param timeout above zero
     * @param cache for how long a fetched set counts; above zero
     * @param refetch after a failed fetch; above zero
     */
    public record RemoteKeys(String uri, String cluster, Duration timeout, Duration cache, Duration refetch, Retries retries)
            implements Keys {}

    /** Of one fetch, with exponential back-off. */
    public record Retries(int attempts, Duration baseInterval, Duration maxInterval) {
        public static final Retries NONE = new Retries(0, Duration.ofSeconds(1), Duration.ofSeconds(10));
    }

    /** Where a token is looked for: in all of these, and every one found must be good. */
    public record Locations(List<HeaderLocation> headers, List<String> parameters, List<String> cookies) {
        public Locations {
            headers = List.copyOf(headers);
            parameters = List.copyOf(parameters);
            cookies = List.copyOf(cookies);
        }
    }

    /**
     * @param name lower case
     * @param prefix before the token; may be empty
     */
    public record HeaderLocation(String name, String prefix) {}

    /**
     * What the app is given of a good token.
     *
     * @param keepToken otherwise it is taken out of headers and query parameters
     * @param payloadHeader lower case; gets the payload in base64url
     * @param claims in headers of their own
     * @param metadata where filters that follow find the payload
     */
    public record Forwarding(
            boolean keepToken, Optional<PayloadHeader> payloadHeader, List<ClaimHeader> claims, Optional<PayloadMetadata> metadata) {
        public Forwarding {
            claims = List.copyOf(claims);
        }
    }

    /** @param lists claims that are lists there where a token has them as a text with spaces between */
    public record PayloadMetadata(String key, List<String> lists) {
        public PayloadMetadata {
            lists = List.copyOf(lists);
        }
    }

    /** @param name lower case */
    public record PayloadHeader(String name, boolean padded) {}

    /**
     * @param header lower case
     * @param claim path of names, outermost first
     */
    public record ClaimHeader(String header, List<String> claim) {
        public ClaimHeader {
            claim = List.copyOf(claim);
        }
    }

    /** {@code JwtRequirement}. */
    public sealed interface Requirement {}

    /** No token is needed, and none is looked at. */
    public record NotRequired() implements Requirement {}

    /** @param audiences in place of the provider's; empty: the provider's */
    public record OfProvider(String provider, List<String> audiences) implements Requirement {
        public OfProvider {
            audiences = List.copyOf(audiences);
        }
    }

    public record RequiresAny(List<Requirement> any) implements Requirement {
        public RequiresAny {
            any = List.copyOf(any);
        }
    }

    public record RequiresAll(List<Requirement> all) implements Requirement {
        public RequiresAll {
            all = List.copyOf(all);
        }
    }

    /** No token is good; a token that is there must be of one of the providers beside it, and good. */
    public record AllowMissing() implements Requirement {}

    public record AllowMissingOrFailed() implements Requirement {}
}
