package io.weft.dataplane.jwt;

import io.weft.dataplane.HttpStream;
import io.weft.dataplane.LocalReply;
import io.weft.dataplane.RequestHead;
import io.weft.dataplane.filter.HttpFilter;
import io.weft.dataplane.route.RouteTest;
import io.weft.policy.model.JwtAuthentication;
import io.weft.policy.model.JwtAuthentication.Rule;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * {@code envoy.filters.http.jwt_authn}. A request whose keys are being fetched for the first time waits for them. Fails closed:
 * what goes wrong in here is answered as a token that could not be verified.
 */
public final class JwtFilter extends HttpFilter {
    private static final long POLL_NANOS = 5_000_000;
    private static final int MAX_REALM_PATH = 256;
    private static final LocalReply FAULT = LocalReply.of(401, JwtStatus.VERIFICATION_FAILS.text());

    private final InstantSource clock;
    private final boolean bypassPreflight;
    private final boolean stripReply;
    private final List<RuleTest> rules = new ArrayList<>();
    /** Null: the rules decide. */
    private final TokenRequirement ofRoute;
    /** Null: the route's requirement exists. */
    private final LocalReply wrongName;

    private record RuleTest(RouteTest match, TokenRequirement requirement) {}

    /** @param requirementOfRoute its name; null: the rules decide */
    public JwtFilter(JwtAuthentication config, String requirementOfRoute, KeySets keySets, InstantSource clock) {
        this.clock = clock;
        bypassPreflight = config.bypassCorsPreflight();
        stripReply = config.stripFailureResponse();
        // In order of name, so that of two providers with one issuer it is always the same that counts.
        Map<String, TokenCheck> checks = new LinkedHashMap<>();
        new TreeMap<>(config.providers())
                .forEach((name, provider) -> checks.put(name, new TokenCheck(provider, keySets.of(provider.keys()))));
        if (requirementOfRoute == null) {
            for (Rule rule : config.rules()) {
                rules.add(new RuleTest(
                        new RouteTest(rule.match()), TokenRequirement.of(rule.requirement(), config.providers(), checks)));
            }
            ofRoute = null;
            wrongName = null;
        } else {
            JwtAuthentication.Requirement requirement = config.requirements().get(requirementOfRoute);
            ofRoute = requirement == null ? null : TokenRequirement.of(requirement, config.providers(), checks);
            wrongName = requirement != null ? null : LocalReply.of(403, stripReply
                    ? ""
                    : "Failed JWT authentication: Wrong requirement_name: " + requirementOfRoute + ". It should be one of ["
                            + String.join(",", new TreeSet<>(config.requirements().keySet())) + "]");
        }
    }

    @Override
    public Decision onRequest(HttpStream stream) {
        RequestHead request = stream.head();
        if (bypassPreflight && isPreflight(request)) {
            return Decision.CONTINUE;
        }
        if (wrongName != null) {
            return stream.reply(wrongName);
        }
        TokenRequirement requirement = ofRoute == null ? requirement(request) : ofRoute;
        if (requirement == null) {
            return Decision.CONTINUE;
        }
        if (requirement.waitsForKeys(stream)) {
            return stream.delay(POLL_NANOS);
        }
        String realm = realm(request);
        JwtStatus status = requirement.verify(stream, clock.instant().getEpochSecond());
        if (status == JwtStatus.OK) {
            return Decision.CONTINUE;
        }
        stream.explain("jwt_authn_access_denied{" + status.text().replace(' ', '_') + "}");
        return stream.reply(refusal(status, realm));
    }

    @Override
    public Decision afterDelay(HttpStream stream) {
        return onRequest(stream);
    }

    @Override
    public Decision onFault(HttpStream stream) {
        return stream.reply(stripReply ? LocalReply.of(401, "") : FAULT);
    }

    /** @return null when no rule is for it */
    private TokenRequirement requirement(RequestHead request) {
        String target = request.path();
        for (int i = 0; i < rules.size(); i++) {
            if (rules.get(i).match.matches(request, target, 0)) {
                return rules.get(i).requirement;
            }
        }
        return null;
    }

    private static boolean isPreflight(RequestHead request) {
        return request.method().equals("OPTIONS")
                && isSet(request.header("origin"))
                && isSet(request.header("access-control-request-method"));
    }

    private static boolean isSet(String value) {
        return value != null && !value.isEmpty();
    }

    private LocalReply refusal(JwtStatus status, String realm) {
        int code = status == JwtStatus.AUDIENCE_NOT_ALLOWED ? 403 : 401;
        if (stripReply) {
            return LocalReply.of(code, "");
        }
        String error = status == JwtStatus.MISSING ? "" : ", error=\"invalid_token\"";
        byte[] body = status.text().getBytes(StandardCharsets.US_ASCII);
        return new LocalReply(
                code,
                List.of(
                        Map.entry("www-authenticate", "Bearer realm=\"" + realm + "\"" + error),
                        Map.entry("content-length", Integer.toString(body.length)),
                        Map.entry("content-type", "text/plain")),
                body);
    }

    /** The request's address, its path cut off where it is long. */
    private static String realm(RequestHead request) {
        String forwarded = request.header("x-forwarded-proto");
        String path = request.path();
        return (forwarded == null ? request.scheme() : forwarded) + "://" + request.authority()
                + path.substring(0, Math.min(path.length(), MAX_REALM_PATH));
    }
}
